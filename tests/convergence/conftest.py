"""The stack for all histories."""

from collections.abc import Iterator

import pytest

from tests.convergence.bench import Bench, running


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One for all histories."""
    with running(tmp_path_factory.mktemp("convergence")) as started:
        yield started
