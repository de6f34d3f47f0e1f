"""What the scenarios play on: a real engine, a server of pages, and a tap between the two."""
