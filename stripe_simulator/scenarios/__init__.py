"""Scenarios that a developer tries: the buttons of the simulator's pages.

A scenario calls Stripe's API, or does what a bank, a customer or time does, so that its events are
the same as Stripe's.
"""

from stripe_simulator.scenarios import account, customers, invoices, payments, subscriptions
from stripe_simulator.scenarios.scenario import Fields, Scenario, find_scenarios, run_scenario

__all__ = [
    "Fields",
    "Scenario",
    "account",
    "customers",
    "find_scenarios",
    "invoices",
    "payments",
    "run_scenario",
    "subscriptions",
]
