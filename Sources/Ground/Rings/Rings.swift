// Rings
