"""What moderators did in a guild: one entry for each action, written in the same unit of work. Start at service.py."""
