"""The doors to the machine: clock, processes, secrets, evidence files."""
