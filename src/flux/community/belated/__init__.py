"""What is to be told of an event that comes late, because the process that should have told it was killed (kernel/bus/untold.py).

Meanwhile others may have told what happened since. So nothing is told from memory: of a message, a channel or a member it is what
they are now, and nothing of what is gone. What can happen only once (a message is deleted, a session ended) is told as it was.

service.py        asked by the bus
places.py         events of guilds
conversations.py  messages, reactions and pins, wherever they are
people.py         events of one account

Knows the other rooms' services; nobody knows it.
"""
