"""The journal: what happened, kept durably, in order, and so that a change shows."""
