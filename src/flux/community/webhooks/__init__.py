"""Webhooks: a URL with a token through which a program speaks in a channel.

service.py     making, changing, deleting them: with a login, or with the token alone
speaking.py    `SpeakingService`: what is posted to them;  endpoints.py, token_endpoints.py
translating.py bodies in the forms of Slack, GitHub and Sentry: pure

A token is a secret that stands in a path: nothing here writes a path to the log. Start at service.py.
"""
