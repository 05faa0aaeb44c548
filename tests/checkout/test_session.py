"""The parameters of a Checkout Session. Pure."""

from typing import Any

import pytest

from gateway.checkout.lines import Line
from gateway.checkout.quote import Quote
from gateway.checkout.session_params import CheckoutPage, SessionPayer, UiMode, build_params
from gateway.customers.buyer import Price
from gateway.price_terms import PriceTerms

_HOSTED = CheckoutPage(success_url="https://a.example/s", cancel_url="https://a.example/c")
_PAYER = SessionPayer("user1", customer="cus_1")


def _line(quantity: int = 1, terms: PriceTerms | None = None, **members: Any) -> Line:
    values = {"lookup_key": "", "type": "recurring", "currency": "usd", "active": True}
    return Line(Price(stripe_id="price_1", **(values | members)), quantity, terms or PriceTerms())


def _quote(**members: Any) -> Quote:
    return Quote(**({"mode": "subscription", "lines": (_line(),)} | members))


def _build(
    quote: Quote, payer: SessionPayer = _PAYER, page: CheckoutPage = _HOSTED
) -> dict[str, Any]:
    return dict(build_params(quote, payer, page, since=1_000_000))


def test_payment_methods_are_never_named() -> None:
    """Payment methods of the dashboard are offered: Stripe refuses a list of payment methods."""
    for mode in ("payment", "subscription", "setup"):
        assert "payment_method_types" not in _build(_quote(mode=mode))


@pytest.mark.parametrize(
    ("mode", "member"),
    [
        ("payment", "payment_intent_data"),
        ("subscription", "subscription_data"),
        ("setup", "setup_intent_data"),
    ],
)
def test_the_user_is_named_everywhere(mode: str, member: str) -> None:
    """Session and what it leads to carry the user, because Stripe copies metadata to nothing."""
    params = _build(_quote(mode=mode))
    assert params["client_reference_id"] == "user1"
    assert params["metadata"] == {"pocketbase_user": "user1"}
    assert params[member]["metadata"] == {"pocketbase_user": "user1"}
    assert params["customer"] == "cus_1"


@pytest.mark.parametrize("ui_mode", ["embedded_page", "elements"])
def test_a_form_on_a_page_of_ones_own_has_one_address(ui_mode: UiMode) -> None:
    """Stripe's form and one's own lead back by `return_url` alone."""
    page = CheckoutPage(ui_mode=ui_mode, return_url="https://a.example/back", locale="de")
    params = _build(_quote(), page=page)
    assert (params["ui_mode"], params["return_url"]) == (ui_mode, "https://a.example/back")
    assert params["locale"] == "de"
    assert not {"success_url", "cancel_url"} & params.keys()


def test_terms_become_parameters() -> None:
    """Each term of an offer is a parameter of Stripe's, and a term that is not there is none."""
    params = _build(
        _quote(
            trial_days=14,
            coupon="WELCOME",
            countries=("DE",),
            automatic_tax=True,
            tax_ids=True,
            billing_address=True,
            expires_minutes=60,
        )
    )
    assert params["subscription_data"]["trial_period_days"] == 14
    assert params["discounts"] == [{"coupon": "WELCOME"}]
    assert params["automatic_tax"] == params["tax_id_collection"] == {"enabled": True}
    assert params["billing_address_collection"] == "required"
    assert params["shipping_address_collection"] == {"allowed_countries": ["DE"]}
    assert params["customer_update"] == {"address": "auto", "name": "auto", "shipping": "auto"}
    assert params["expires_at"] == 1_003_600
    assert _build(_quote(promotion_codes=True))["allow_promotion_codes"] is True
    plain = {"mode", "ui_mode", "metadata", "success_url", "cancel_url", "customer"}
    assert _build(_quote()).keys() == plain | {
        "client_reference_id",
        "line_items",
        "subscription_data",
    }


def test_a_quantity_may_be_changed_within_the_plan() -> None:
    """Stripe's page keeps to the plan's bounds, and to its own."""
    line = _line(3, PriceTerms(adjustable=True, min_quantity=2))
    [item] = _build(_quote(lines=(line,)))["line_items"]
    assert item == {
        "price": "price_1",
        "quantity": 3,
        "adjustable_quantity": {"enabled": True, "minimum": 2, "maximum": 999_999},
    }


def test_what_is_sold_once_keeps_its_quantity() -> None:
    """Its metadata says how much of it entitles: on Stripe's page, fewer could be paid for."""
    params = _build(
        _quote(mode="payment", lines=(_line(3, PriceTerms(adjustable=True), type="one_time"),))
    )
    assert params["line_items"] == [{"price": "price_1", "quantity": 3}]
    assert params["metadata"]["pocketbase_item_1"] == "price_1:3"


def test_what_is_paid_by_use_has_no_quantity() -> None:
    """Stripe takes none for a metered price."""
    [item] = _build(_quote(lines=(_line(usage_type="metered"),)))["line_items"]
    assert item == {"price": "price_1"}


def test_a_guest_is_nobody_yet() -> None:
    """A guest's session names no user, and Stripe creates a customer for its payment."""
    params = _build(_quote(mode="payment"), SessionPayer())
    assert params["metadata"] == {"pocketbase_guest": "true"}
    assert params["customer_creation"] == "always"
    assert not {"customer", "client_reference_id"} & params.keys()


def test_an_exclusive_purchase_carries_its_number() -> None:
    """The session says which of the buyer's purchases it is."""
    params = _build(_quote(), SessionPayer("user1", customer="cus_1", number=3))
    assert params["metadata"]["pocketbase_attempt"] == "3"
