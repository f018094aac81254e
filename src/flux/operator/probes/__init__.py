"""What machines ask: alive? ready? how much? which routes?

Balancers, Prometheus and generators of clients come here, without a token. Start at endpoints.py.
"""
