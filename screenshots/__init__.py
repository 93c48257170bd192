"""Pictures of the console, each taken from a real engine with real pods."""
