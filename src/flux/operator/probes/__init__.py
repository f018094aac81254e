"""What machines ask: alive? ready? how much? which routes?

endpoints.py  the four routes;  gathering.py  one /metrics for all workers of a port

Balancers, Prometheus and generators of clients come here, without a token. Start at endpoints.py.
"""
