"""What a step can do: one module a family, none knows another."""
