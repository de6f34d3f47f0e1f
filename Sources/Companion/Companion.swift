// Companion
