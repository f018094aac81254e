"""Where voice is carried: the regions. What is carried there comes with calls.

Uses standing. Start at service.py.
"""
