"""Generates .env.example, docs/settings.md and docs/openapi.json: `make docs`."""
