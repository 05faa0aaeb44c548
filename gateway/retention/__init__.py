"""Retention: how long events, background work, exports and runs of reconcile are kept."""
