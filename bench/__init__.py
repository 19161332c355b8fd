"""Figures, measured side by side with what people would use instead. Never tests: no figure fails.

`python -m bench` (or `make bench`) runs it; docs/figures.md says what each figure means.
"""
