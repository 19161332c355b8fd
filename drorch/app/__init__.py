"""The composition root and the use cases: what the CLI (and later the daemon and web) call."""
