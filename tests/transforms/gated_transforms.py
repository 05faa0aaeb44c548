"""Transforms that wait until a test lets them go on; each notes that it was asked."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway import Gateway
from gateway.transforms import Refused, Transform, TransformContext
from tests.deadline import eventually

#: A folder: a transform adds a line to `<title>.asked` there, and waits for `<title>.open`.
FOLDER = "TEST_GATES"


async def hold(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Change nothing, once the gate named by the record's `gate` is open."""
    await _pass_gate(str(incoming["gate"]))
    return {}


async def count_words(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Compute a field from another one; what is locked stays as it is."""
    await _pass_gate(str(incoming["gate"]))
    if context.original and context.original["locked"]:
        raise Refused("It is locked.", status=403)
    return {"words": len(str(incoming["note"]).split())}


async def keep_locked(incoming: dict[str, Any], context: TransformContext) -> None:
    """Refuse to delete what is locked."""
    original = context.original or {}
    await _pass_gate(f"{original['gate']}")
    if original["locked"]:
        raise Refused("It is locked.", status=403)


async def _pass_gate(name: str) -> None:
    if not name:
        return
    folder = Path(os.environ[FOLDER])
    with (folder / f"{name}.asked").open("a") as asked:
        asked.write("asked\n")
    await eventually(_exists(folder / f"{name}.open"))


def _exists(path: Path) -> Callable[[], Awaitable[bool]]:
    async def exists() -> bool:
        return os.path.exists(path)  # noqa: ASYNC240

    return exists


TRANSFORMS = (
    Transform("papers", {"update"}, hold, timeout=10, may_come_later=True),
    Transform("counted", {"update"}, count_words, timeout=10, may_come_later=True),
    Transform("counted", {"delete"}, keep_locked, timeout=10, may_come_later=True),
    Transform("people", {"update"}, hold, timeout=10, may_come_later=True),
    Transform("created_only", {"create"}, hold, may_come_later=True),
)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
