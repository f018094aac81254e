"""What somebody writes about somebody else, for themselves alone. Start at service.py."""
