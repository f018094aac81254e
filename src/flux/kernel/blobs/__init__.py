"""blobs: see port.py."""
