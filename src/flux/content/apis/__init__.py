"""Flux APIs: a URL prefix of delivery and the folders connected to it, with what may be done there.

Delivery visits `Apis.all_of` and `Apis.connections_of` when it loads an environment. Start at service.py.
"""
