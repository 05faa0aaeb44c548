"""A checkout request as a value."""

from dataclasses import asdict, dataclass
from hashlib import sha256

from gateway.checkout.lines import Item
from gateway.checkout.session_params import CheckoutPage
from gateway.json_codec import dump


@dataclass(frozen=True, slots=True)
class Order:
    """The content of one request to /checkout or /checkout/setup."""

    page: CheckoutPage
    #: Empty to save a payment method without a purchase.
    items: tuple[Item, ...] = ()
    #: The Idempotency-Key header, "" without one.
    key: str = ""
    #: The record id of the paying organization, "" if the user pays.
    organization: str = ""
    #: As the customer typed it, "" for none.
    promotion_code: str = ""

    @property
    def request_hash(self) -> str:
        """A SHA-256 digest in hex, equal for equal requests; the key is not part of it."""
        items = [asdict(item) for item in self.items]
        content = [asdict(self.page), items, self.organization]
        if self.promotion_code:
            content.append(self.promotion_code)
        return sha256(dump(content)).hexdigest()
