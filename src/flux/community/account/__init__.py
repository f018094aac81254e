"""One's own account: reading, changing, disabling and deleting it. Uses users and auth. Start at endpoints.py."""
