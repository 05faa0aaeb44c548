"""One module per Stripe resource: its shape and its transitions."""
