"""Transforms with unfit collections; tests choose one by TEST_TABLE."""

import os

from pydantic import BaseModel, Field

from gateway import Gateway
from gateway.transforms import Transform, TransformContext


class ThingInput(BaseModel):
    """A thing as it comes in."""

    name: str
    label: str = Field(default="", alias="title")
    computed: str = Field(default="", exclude=True)


def keep(incoming: ThingInput, context: TransformContext) -> ThingInput:
    """Change nothing."""
    return incoming


TRANSFORMS = (
    Transform(
        os.environ.get("TEST_TABLE", "things"),
        {"create", "update"},
        keep,
        ThingInput,
        may_come_later="TEST_LATER" in os.environ,
    ),
)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
