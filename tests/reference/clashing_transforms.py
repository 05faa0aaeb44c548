"""A table of transforms whose models are called as schemas of the gateway's are."""

from pydantic import BaseModel

from gateway.records.transform import Context, Transform


class CheckoutItem(BaseModel):
    """Something to complain about."""

    color: str


class Problem(BaseModel):
    """A complaint."""

    items: list[CheckoutItem]


def keep(incoming: Problem, context: Context) -> None:
    """Change nothing."""


TRANSFORMS = (Transform("complaints", {"create"}, keep, model=Problem),)
