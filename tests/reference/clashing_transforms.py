"""A table of transforms whose models are called as schemas of the gateway's are."""

from asyncio import Lock

from pydantic import BaseModel, ConfigDict

from gateway.records.transform import Context, Transform


class CheckoutItem(BaseModel):
    """Something to complain about."""

    color: str


class Problem(BaseModel):
    """A complaint."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    lock: Lock | None = None
    items: list[CheckoutItem]


def keep(incoming: Problem, context: Context) -> None:
    """Change nothing."""


TRANSFORMS = (Transform("complaints", {"create"}, keep, model=Problem),)
