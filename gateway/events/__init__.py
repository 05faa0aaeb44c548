"""What an operator does with Stripe's events: look, handle again, prune.

``stored_events`` finds them, ``replay`` handles them again, ``retention`` empties old payloads,
and ``upkeep`` does the last two by itself.
"""
