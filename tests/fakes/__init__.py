"""Working stand-ins for what the world offers: they behave, they do not record calls."""
