"""How drorch stands, for Prometheus: over HTTP and as a file; and whether it is alive and ready."""
