"""Pages for people: the welcome page, and the frame that every page here shares.

frame.py      a whole HTML document with everything inside it, and the policy that forbids anything else
endpoints.py  /

Start at frame.py.
"""
