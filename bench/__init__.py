"""Measurements that anyone can run: ``python -m bench.webhooks``. Side by side, in one run."""
