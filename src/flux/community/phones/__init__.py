"""Phone numbers: a code by text message proves one, and then it stands for one account. Start at service.py."""
