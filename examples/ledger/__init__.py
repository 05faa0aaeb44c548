"""A double-entry ledger of credits in PostgreSQL, fed by purchases and usage."""
