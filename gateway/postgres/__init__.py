"""PostgreSQL of a team, beside PocketBase: optional, with the extra ``[postgres]``."""
