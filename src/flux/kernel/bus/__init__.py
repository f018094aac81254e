"""bus: see port.py."""
