"""The local stack: starts PocketBase, the gateway and the Stripe simulator as processes.

`make run`, the tests and the benchmarks use it, so that they run the same processes.
"""
