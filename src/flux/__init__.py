"""Flux: one self-hosted backend with three APIs over one error contract."""

__version__ = "0.1.0"
