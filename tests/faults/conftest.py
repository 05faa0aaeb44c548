"""Options of the chaos test: `make test` sends 400 deliveries, `make faults` 20,000."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this test."""
    parser.addoption("--chaos-deliveries", type=int, default=400)
    parser.addoption("--chaos-seed", type=int, default=1)
