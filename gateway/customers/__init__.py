"""Stripe customers: find or create, sync, transfer, deletion."""
