"""post: see port.py."""
