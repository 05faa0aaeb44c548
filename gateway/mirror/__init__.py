"""Stripe objects as PocketBase rows: one registry entry per object, one projection each."""
