"""Sells prices through Stripe Checkout, to users, organizations and guests."""
