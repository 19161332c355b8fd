"""drorch: encrypted multi-region backup, failover runbooks and the evidence that recovery works."""

__version__ = "0.1.0"
