"""Listings: what providers sell."""
