"""Settings of collection names; the gateway and PocketBase's hooks need the same values."""

from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from gateway.vocabulary import CollectionNames, check_name, check_prefix


class CollectionSettings(BaseModel):
    """Environment variables of both processes, by lower-case name."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    gateway_collection_prefix: str = ""
    """Prefix of the collections that mirror Stripe or that frontends read: with shop_, products is
    named shop_products. For projects that already have collections of these names. Can't be changed
    after the first start."""
    gateway_internal_collection_prefix: str = "gateway_"
    """Prefix of the collections that only the gateway reads. Can't be changed after the first
    start."""
    gateway_auth_collection: str = "users"
    """The auth collection that buyers sign in to. Can't be changed after the first start."""

    @field_validator("gateway_collection_prefix", "gateway_internal_collection_prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        return check_prefix(value)

    @field_validator("gateway_auth_collection")
    @classmethod
    def _check_auth_collection(cls, value: str) -> str:
        return check_name(value)

    @model_validator(mode="after")
    def _check_clash(self) -> Self:
        if self.collection_names.is_clashing:
            raise ValueError(
                f"GATEWAY_AUTH_COLLECTION is {self.gateway_auth_collection}, which is also the name"
                " of a collection that the gateway creates: also set GATEWAY_COLLECTION_PREFIX, for"
                " example to shop_"
            )
        return self

    @cached_property
    def collection_names(self) -> CollectionNames:
        """Return the names of the gateway's collections."""
        return CollectionNames(
            self.gateway_collection_prefix,
            self.gateway_internal_collection_prefix,
            self.gateway_auth_collection,
        )


#: The names of the environment variables.
COLLECTION_VARIABLES = tuple(name.upper() for name in CollectionSettings.model_fields)
