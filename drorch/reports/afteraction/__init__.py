"""The report of one run as an after-action report: what an auditor asks of an exercise, in order."""
