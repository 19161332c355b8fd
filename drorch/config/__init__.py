"""YAML into core values: finds every problem at once, with file, line and column."""
