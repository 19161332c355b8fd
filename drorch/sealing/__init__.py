"""Signatures and ciphers of drorch's own records: what seals evidence, and what may leave the site."""
