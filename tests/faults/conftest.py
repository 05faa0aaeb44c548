"""Options of the chaos tests: `make test` runs them short, `make faults` long."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of these tests."""
    parser.addoption("--chaos-deliveries", type=int, default=400)
    parser.addoption("--chaos-work-faults", type=int, default=7)
    parser.addoption("--chaos-seed", type=int, default=1)
