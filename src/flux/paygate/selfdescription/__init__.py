"""The API described to tools and agents: its OpenAPI document, and llms.txt.

service.py    `SelfDescription`: both, made once
endpoints.py  GET /openapi.json, GET /llms.txt, at the root of the plane
"""
