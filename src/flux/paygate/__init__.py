"""The paygate plane."""
