"""Requests after a purchase: the customer portal, subscription changes, usage."""
