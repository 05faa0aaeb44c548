"""Transforms with models that have names of the gateway's own schemas."""

from asyncio import Lock

from pydantic import BaseModel, ConfigDict

from gateway import Gateway, TransformContext

app = Gateway()


class CheckoutItem(BaseModel):
    """Something to complain about."""

    color: str


class Problem(BaseModel):
    """A complaint."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    lock: Lock | None = None
    items: list[CheckoutItem]


@app.transform("complaints", on="create")
def keep(incoming: Problem, context: TransformContext) -> None:
    """Change nothing."""
