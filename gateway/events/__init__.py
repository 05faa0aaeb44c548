"""Stored Stripe events: find them, replay them, empty their payloads.

``stored_events`` finds them, ``replay`` processes them again, ``retention`` empties old payloads,
and ``maintenance`` does the last two on a schedule.
"""
