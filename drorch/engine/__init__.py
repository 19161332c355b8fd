"""The loop that carries runs: decide, record, do, fold."""
