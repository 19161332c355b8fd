"""One module per verb, each with its `command`; loaded when the verb is used."""
