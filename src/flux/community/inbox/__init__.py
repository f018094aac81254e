"""How far somebody has read, and what names them. Start at service.py; pinned.py keeps conversations at the top.

Uses standing (may they see it?), members (their roles), mentions and messages. READY shows what this room knows.
"""
