"""`python -m stripe_simulator` serves a simulated Stripe account."""

from stripe_simulator.cli import main

main()
