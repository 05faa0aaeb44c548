"""Payload files by API version and event name, and the row that each must become.

`python -m tests.mirror.projections.golden` rewrites the rows; read the diff before you commit it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.ids import record_id
from gateway.mirror.event_change import decide
from gateway.stripe_api.event import parse

Json = dict[str, Any]
_HERE = Path(__file__).parent
PAYLOADS = sorted((_HERE / "payloads").glob("*/*.json"))


def name_of(payload: Path) -> str:
    """`2020-08-27/customer.updated`; what follows a dash tells cases of one event apart."""
    return str(payload.relative_to(_HERE / "payloads").with_suffix(""))


def row_file(payload: Path) -> Path:
    """The file of a payload's row."""
    return _HERE / "rows" / payload.relative_to(_HERE / "payloads")


def read_row(payload: Path) -> Json:
    """The row of a payload; relations by the Stripe id of their target."""
    text = payload.read_text()
    planned = decide(parse(text))
    if planned.state is None:
        return {"outcome": planned.outcome}
    row = planned.state.row
    names = {record_id(found): f"→ {found}" for found in _texts(json.loads(text))}
    values = {key: _name(value, names) for key, value in row.values.items()}
    return {
        "collection": row.collection,
        "stripe_id": row.stripe_id,
        "final": row.final,
        "rank": planned.state.version.rank,
        "values": values,
        "claims": [f"{claim.user or claim.email} {claim.primary}" for claim in planned.claims],
    }


def _name(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def main() -> None:
    """Write every row."""
    for payload in PAYLOADS:
        kept = row_file(payload)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(read_row(payload), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
