"""The route that checks a caller's token."""

from typing import Any

from pydantic import Field

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class CallerAnswer(Contract):
    """The record of a token, with every field that its owner sees."""

    record: dict[str, Any] = Field(repr=False)


CALLER = HookRoute("GET", "/api/gateway/caller", Empty, CallerAnswer)
