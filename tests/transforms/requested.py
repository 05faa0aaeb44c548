"""Transforms that read the request, validate only changed fields, and check addresses."""

from typing import Any

from pydantic import BaseModel, Field, field_validator

from gateway import Gateway
from gateway.transforms import FieldErrors, Transform, TransformContext


class Rule(BaseModel):
    """A model that is stricter than rows of before."""

    title: str = Field(min_length=3)
    code: str = Field(default="", alias="kind", max_length=5)
    count: int = Field(ge=10)
    tags: list[str] = Field(default_factory=list, max_length=1)

    @field_validator("title")
    @classmethod
    def _refuse_digits(cls, value: str) -> str:
        if value.isdigit():
            raise ValueError("a title has letters")
        return value.strip()


def show(incoming: Any, context: TransformContext) -> dict[str, Any]:
    """Write down what is known of the request."""
    known = context.request
    if known is None:
        return {"seen": None}
    headers = dict(known.headers)
    return {"seen": {"values": known.values, "address": known.address, "headers": headers}}


def return_rule(rule: Rule, context: TransformContext) -> Rule:
    """Return the model, as most transforms do."""
    assert isinstance(rule, Rule)
    return rule


def judge_address(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Addresses are kept in lower case, and not of a certain place."""
    if incoming["email"].endswith("@blocked.example"):
        raise FieldErrors({"email": ("email_blocked", "Use another address.")})
    return {"email": incoming["email"].lower(), "name": f"of {incoming['email']}"}


TRANSFORMS = (
    Transform("traces", {"create", "update"}, show, request=True, may_come_later=True),
    Transform("plains", {"create"}, show, may_come_later=True),
    Transform("rules", {"update"}, return_rule, Rule, validate="changed", may_come_later=True),
    Transform("stricts", {"update"}, return_rule, Rule, may_come_later=True),
    Transform("accounts", {"update"}, judge_address, may_come_later=True),
)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
