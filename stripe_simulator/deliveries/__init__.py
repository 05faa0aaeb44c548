"""Webhook deliveries: signed, repeated until answered, and out of order when asked."""
