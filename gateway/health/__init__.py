"""Whether the gateway lives, and whether it can do its work."""
