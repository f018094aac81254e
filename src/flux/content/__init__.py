"""The content plane."""
