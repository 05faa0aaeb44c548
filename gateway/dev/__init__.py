"""Starts the real parts as processes: PocketBase, the gateway and the Stripe simulator.

`make run`, the tests and the benchmarks all use it, so what is tried is what is run.
"""
