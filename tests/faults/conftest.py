"""How large the storm is: small in `make test`, 20,000 deliveries by `make faults`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the storm's options."""
    parser.addoption("--storm-deliveries", type=int, default=400)
    parser.addoption("--storm-seed", type=int, default=1)
