"""The pure heart: values, plans, events, and what they mean. No clock, file, process or network."""
