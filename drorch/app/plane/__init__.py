"""Copies of the control plane in regions, and the way back from them."""
