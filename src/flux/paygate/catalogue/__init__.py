"""Finding listings and learning how to call them, for people and for agents.

schemas.py    queries
endpoints.py  GET /apis, /apis/{apiId}/discovery, /openapi, /agent-info, /quote
openapi.py    pure: a provider's document with prices, our security and our errors
agents.py     pure: discovery and agent-info
examples.py   the code shown to agents

Reads listings through their service; writes nothing. Start at endpoints.py.
"""
