"""The tests use PocketBase, the app and a simulated Stripe as processes."""

pytest_plugins = ["gateway.testing"]
