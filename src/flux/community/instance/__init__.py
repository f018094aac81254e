"""The instance itself: discovery, health, and where the realtime gateway is. Start at endpoints.py."""
