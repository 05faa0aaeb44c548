"""Projections: one pure function per Stripe object type that returns its row."""
