"""Somebody's profile, for those who know them: a shared guild or friendship. Bots show theirs to everybody.

Uses members and relationships. Start at service.py.
"""
