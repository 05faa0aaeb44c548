"""Who pays, as metadata names it: only the seller can write there."""

from typing import TypedDict

from gateway.rows import Json
from gateway.stripe_api.fields import as_text
from gateway.vocabulary import ORGANIZATION_METADATA, USER_METADATA


class NamedPayer(TypedDict):
    """One of both, or neither; empty is who is not named."""

    user: str
    organization: str


def named_payer(metadata: Json) -> NamedPayer:
    """Return who pays; beside an organization, the user is only who has bought for it."""
    organization = as_text(metadata.get(ORGANIZATION_METADATA))
    user = "" if organization else as_text(metadata.get(USER_METADATA))
    return {"user": user, "organization": organization}
