"""The payer in Stripe metadata, which only the seller can write."""

from typing import TypedDict

from gateway.rows import Json
from gateway.stripe_api.fields import as_text
from gateway.vocabulary import ORGANIZATION_METADATA, USER_METADATA


class NamedPayer(TypedDict):
    """A user or an organization; the other is "", or both are."""

    user: str
    organization: str


def named_payer(metadata: Json) -> NamedPayer:
    """Return the payer; next to an organization, the user is only the buyer."""
    organization = as_text(metadata.get(ORGANIZATION_METADATA))
    user = "" if organization else as_text(metadata.get(USER_METADATA))
    return {"user": user, "organization": organization}
