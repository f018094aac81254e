"""One's own account: reading, changing, disabling and deleting it, and its settings. Uses users and auth. Start at
endpoints.py."""
