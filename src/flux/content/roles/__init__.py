"""Roles: what keys may do, one set for management and one for delivery (`side`).

A role holds permissions by content type, and for object-based types the objects they reach. Keys are in `keys`;
what a permission means is in `content/access.py`. `keys` visits `Roles.grants`. Start at service.py.
"""
