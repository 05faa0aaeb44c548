"""The deployment, once for all tests, which run in their order; docker/e2e starts them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.deployment import Deployment

_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests without the engine of docker/e2e."""
    if "E2E_RUN" not in os.environ:
        skip = pytest.mark.skip(reason="docker/e2e runs these tests")
        for item in items:
            if item.path.is_relative_to(_FOLDER):
                item.add_marker(skip)


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """This checkout beside a Stripe account; the first tests set it up."""
    disk = os.environ.get("E2E_DISK")
    made = Deployment(
        Path(os.environ["E2E_CHECKOUT"]),
        Path(os.environ["E2E_RUN"]),
        Path(disk) if disk else None,
    )
    made.start_stripe()
    yield made
    made.compose("down", "--volumes")
