"""Ten people who go through the demo shop, and what the engine takes them for."""
