"""The distribution of the tests over xdist's workers.

One worker runs all tests of a file, so that the file's fixtures are set up once; of a folder whose
tests share a stack of their own, all files. The longest ones start first: the workers then end
together.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: Files and folders that take longest.
_LONGEST = (
    "tests/package/",
    "tests/faults/",
    "tests/relay/",
    "tests/convergence/",
    "tests/upgrade/",
    "tests/guides/",
    "tests/extending/",
    "tests/dev/test_dev.py",
    "tests/dev/test_run.py",
    "tests/transforms/",
    "tests/ledger/",
    "tests/operations/",
)
#: Folders whose files share a stack, or another expensive fixture.
_FOLDERS = (
    "tests/application/",
    "tests/billing/previews/",
    "tests/bulk/",
    "tests/convergence/",
    "tests/doctor/",
    "tests/effects/",
    "tests/hooks/",
    "tests/hostile/",
    "tests/jobs/",
    "tests/ledger/",
    "tests/package/",
    "tests/page/",
    "tests/pocketbase_client/",
    "tests/posts/",
    "tests/relay/",
    "tests/transforms/",
    "tests/work/",
)


class Distribution(LoadScopeScheduling):
    """Gives a worker the next file or folder when it has nearly done the last."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        # The order is that of `sort_tests`.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return find_group(nodeid)


def find_group(nodeid: str) -> str:
    """Return the file or folder that one worker runs."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in _FOLDERS if file.startswith(folder)), file)


def sort_tests(items: list[pytest.Item]) -> None:
    """Begin with the longest files and folders."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    places = (n for n, name in enumerate(_LONGEST) if nodeid.startswith(name))
    return next(places, len(_LONGEST))
