"""The path of a delivery: ``endpoint`` verifies it, ``event_writer`` commits it in a batch.

``EventWriter`` also writes events for ``gateway.events.replay`` and ``gateway.reconcile``: those
use a second one, so that they don't take the capacity of deliveries.
"""
