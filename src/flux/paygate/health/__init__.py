"""Is the plane alive, and is it ready: for balancers and operators.

endpoints.py  GET /health, GET /ready
"""
