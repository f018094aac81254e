"""jobs: see port.py."""
