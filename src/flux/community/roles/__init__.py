"""Roles of a guild: their names, order and permissions. Who holds them is the members' business. Start at service.py."""
