"""The paper version of a runbook: for the binder, when the machine that runs drorch is gone."""
