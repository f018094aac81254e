"""Webhooks: others are told when content is published, taken out of delivery, or deleted.

The resources room calls `Webhooks.announce` in the unit of work that did it: the message is written down with the
change or not at all. A job then sends it, signed, with growing pauses until it is taken (`sending.py`); every message
stays as history for a while. Messages may come twice and out of order: receivers go by `id` and `occurred_at`.

service.py  hooks, their messages, announcing   sending.py  one attempt, the next one   rules.py  targets, signatures
"""
