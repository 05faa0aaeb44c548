"""Checkout and the customer portal: what a signed-in user may ask of Stripe."""
