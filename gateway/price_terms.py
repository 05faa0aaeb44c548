"""The seller's terms for each price: in Stripe metadata or in the terms file.

The file (setting ``GATEWAY_PRICE_TERMS``) is TOML with the tables ``[defaults]``,
``[products.ID]`` and ``[prices.NAME]``, where NAME is a price's id or lookup key. In Stripe
metadata the same members are called ``checkout_<member>``. Later sources override earlier ones:
defaults, product metadata, price metadata, the file's product, the file's price.
"""

import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from gateway.pocketbase.contracts.buyer import Price
from gateway.settings import SettingsError

_log = logging.getLogger(__name__)
_PREFIX = "checkout_"


def _split(value: Any) -> Any:
    """Split a list: metadata holds only texts, with commas between the entries."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


_Codes = Annotated[
    tuple[Annotated[str, Field(min_length=2, max_length=3)], ...], BeforeValidator(_split)
]


class PriceTerms(BaseModel):
    """The terms on which one price is sold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    for_sale: bool = True
    min_quantity: int = Field(default=1, ge=1)
    max_quantity: int = Field(default=1_000_000, ge=1)
    #: Whether buyers can change a subscription's quantity on Stripe's page, within these bounds.
    adjustable: bool = False
    #: Days until the first payment of a subscription; a buyer gets one trial ever.
    trial_days: int = Field(default=0, ge=0, le=730)
    #: How many running subscriptions of the group a buyer can have.
    subscriptions: Literal["one", "many"] = "one"
    group: str = Field(default="", max_length=100)
    #: Whether a buyer can buy the product of this one-time price only once.
    once_per_buyer: bool = False
    #: Whether guests can buy it, if GATEWAY_GUEST_CHECKOUT is on.
    guests: bool = True
    #: The id of a coupon that is applied to every purchase, "" for none.
    coupon: str = Field(default="", max_length=255)
    #: Whether promotion codes are accepted; not together with a coupon.
    promotion_codes: bool = False
    #: The currencies in which it is for sale; empty for all.
    currencies: _Codes = ()
    #: Countries of delivery (ISO 3166, two letters); Stripe's page then asks for an address.
    countries: _Codes = ()
    automatic_tax: bool = False
    #: Whether Stripe's page asks for tax ids.
    tax_ids: bool = False
    billing_address: bool = False
    #: Minutes for which Stripe's page stays open.
    expires_minutes: int = Field(default=1440, ge=60, le=1440)

    @model_validator(mode="after")
    def _check_bounds(self) -> "PriceTerms":
        if self.min_quantity > self.max_quantity:
            raise ValueError("min_quantity is larger than max_quantity")
        return self

    def fit(self, quantity: int) -> int:
        """Return the allowed quantity that is nearest to this one."""
        return min(max(quantity, self.min_quantity), self.max_quantity)

    def sells(self, price: Price) -> bool:
        """Return whether the price is for sale on these terms."""
        currencies = {currency.lower() for currency in self.currencies}
        is_accepted = not currencies or price.currency.lower() in currencies
        return price.active and self.for_sale and is_accepted


class TermsFile(BaseModel):
    """The content of the terms file; empty if there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The currency of /checkout/setup: a lower-case ISO code.
    setup_currency: str = Field(default="usd", min_length=3, max_length=3)
    defaults: dict[str, Any] = Field(default_factory=dict)
    products: dict[str, dict[str, Any]] = Field(default_factory=dict)
    prices: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def mentions(self, name: str) -> bool:
        """Return whether the file sets this term for any price."""
        tables = (self.defaults, *self.products.values(), *self.prices.values())
        return any(table.get(name) for table in tables)

    def find(self, price: Price) -> PriceTerms | None:
        """Return a price's terms; None if its metadata at Stripe is invalid."""
        members = {
            **self.defaults,
            **_read_metadata(price.product_metadata),
            **_read_metadata(price.metadata),
            **self.products.get(price.product, {}),
            **self.prices.get(price.lookup_key, {}),
            **self.prices.get(price.stripe_id, {}),
        }
        try:
            return PriceTerms(**members)
        except ValidationError as error:
            wrong = [str((*item["loc"], "min_quantity")[0]) for item in error.errors()]
            _log.error("invalid price terms", extra={"price": price.stripe_id, "members": wrong})
            return None


def read_price_terms(path: Path | None) -> TermsFile:
    """Read the terms file.

    Args:
        path: the setting GATEWAY_PRICE_TERMS; without one, only Stripe metadata sets terms.

    Raises:
        SettingsError: the file can't be read, or is invalid.
    """
    if path is None:
        return TermsFile()
    try:
        terms_file = TermsFile(**tomllib.loads(path.read_text()))
        for members in (
            terms_file.defaults,
            *terms_file.products.values(),
            *terms_file.prices.values(),
        ):
            PriceTerms(**members)
    except (OSError, ValueError) as error:
        raise SettingsError(f"GATEWAY_PRICE_TERMS is invalid: {_format_error(error)}.") from None
    return terms_file


def _format_error(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
    return str(error)


def _read_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: metadata.get(_PREFIX + name) for name in PriceTerms.model_fields}
    return {name: value for name, value in named.items() if value is not None}
