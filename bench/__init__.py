"""Repeatable measurements. `python -m bench` runs all, `python -m bench.wire` one; see RESULTS.md for figures.

Figures are medians of alternated runs; compare the ratios, since machines differ and are noisy.
"""
