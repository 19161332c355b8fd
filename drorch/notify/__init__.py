"""How people are told: over Apprise, by a command; and a dead man's switch that is called."""
