"""The unattended daemon."""
