"""Messages: sending, reading, editing, deleting, pinning, typing.

rules.py     what may be said: pure
writing.py   puts a message into its channel and tells everybody: used by every other verb
send.py      what people and bots say;  service.py  reading, editing, deleting;  pins.py  pinned ones
withdrawing.py  deletes everything somebody has said
views.py     rows to wire;  welcome.py, purging.py  what joining and banning do to a channel

Start at send.py.
"""
