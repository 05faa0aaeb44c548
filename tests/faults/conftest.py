"""How large the storm is: small in `make test`, 20,000 deliveries by `make faults`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the storm's options."""
    parser.addoption("--chaos-deliveries", type=int, default=400)
    parser.addoption("--chaos-seed", type=int, default=1)
