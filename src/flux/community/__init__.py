"""The community plane."""
