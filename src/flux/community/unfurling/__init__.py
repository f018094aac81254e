"""Link previews: the pages that messages link to, shown below them.

reading.py  from a page's head or an image's first bytes to an embed: pure
service.py  `UnfurlingService`: the job that fetches and shows

A page is fetched by a job after the message is there, through the kernel's guard against addresses that must not be
called; the message then changes by an event. Start at service.py.
"""
