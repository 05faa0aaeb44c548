"""A business-logic gateway beside PocketBase: Stripe checkout, portal and webhooks."""

__version__ = "0.1.0"
