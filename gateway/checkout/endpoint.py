"""POST /checkout, POST /checkout/setup, GET /checkout/{id}."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request

from gateway.checkout.bodies import (
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutResponse,
    SetupRequest,
)
from gateway.checkout.create_session import CheckoutSession
from gateway.checkout.lines import Item
from gateway.checkout.order import Order
from gateway.checkout.quote import AlreadyBought, AlreadySubscribed
from gateway.checkout.result import read_session, sync_session_snapshot
from gateway.checkout.session_params import CheckoutPage
from gateway.customers.buyer import Buyer, read_buyer
from gateway.dependencies import (
    BuyerRoute,
    IdempotencyKey,
    OptionalToken,
    ServicesDep,
    SignedInRoute,
    Token,
)
from gateway.errors import (
    CALLER_ERRORS,
    IdempotencyKeyReused,
    NoOrganization,
    NotFound,
    Unauthenticated,
    invalid_field,
)
from gateway.http.problems import problem_responses
from gateway.http.redirects import check_redirect
from gateway.ids import record_id
from gateway.pocketbase import PocketBase
from gateway.rows import Json
from gateway.stripe_api.fields import relation, stripe_id
from gateway.vocabulary import GUEST_METADATA, ORGANIZATION_METADATA, USER_METADATA

_ERRORS = (*CALLER_ERRORS, NoOrganization, IdempotencyKeyReused)
_GUESTS = {401: "A PocketBase user token is needed, unless GATEWAY_GUEST_CHECKOUT is on."}
_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}", re.ASCII)


class NoSuchPurchase(NotFound):
    """You have no such purchase."""


setups = APIRouter(tags=["checkout"], route_class=SignedInRoute)
router = APIRouter(tags=["checkout"], route_class=BuyerRoute)


@router.post(
    "/checkout",
    operation_id="create_checkout",
    responses=problem_responses(*_ERRORS, AlreadySubscribed, AlreadyBought, texts=_GUESTS),
)
async def create_checkout(
    body: CheckoutRequest,
    request: Request,
    token: OptionalToken,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> CheckoutResponse:
    """Start a purchase for the signed-in user.

    The prices decide the mode (subscription or payment) and the amount. The result arrives as
    PocketBase records (`subscriptions`, `payments`). If a running subscription excludes a second
    one, the answer is 409 with the customer portal as `portal_url`.
    """
    page = read_page(body, services.settings.gateway_frontend_origins)
    items = tuple(Item(item.price, item.quantity) for item in body.items)
    organization = body.organization or ""
    order = Order(page, items, idempotency_key, organization, body.promotion_code or "")
    if token:
        return _respond(await services.checkout.sell(order, token))
    if organization or not services.settings.gateway_guest_checkout:
        raise Unauthenticated
    return _respond(
        await services.checkout.sell_to_guest(order, request.client.host if request.client else "")
    )


@setups.post("/checkout/setup", operation_id="create_setup", responses=problem_responses(*_ERRORS))
async def create_setup(
    body: SetupRequest,
    token: Token,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> CheckoutResponse:
    """Save a payment method of the signed-in user for later, without a purchase."""
    page = read_page(body, services.settings.gateway_frontend_origins)
    order = Order(page, (), idempotency_key, body.organization or "")
    return _respond(await services.checkout.sell(order, token))


@router.get(
    "/checkout/{session_id}",
    operation_id="read_checkout",
    responses=problem_responses(*CALLER_ERRORS, NoSuchPurchase, texts=_GUESTS),
)
async def read_checkout(
    session_id: Annotated[str, Path(max_length=255)],
    token: OptionalToken,
    services: ServicesDep,
) -> CheckoutOutcome:
    """Return the result of a purchase, for the page to which Stripe redirects.

    The session is read from Stripe and its records are written to PocketBase before the answer, so
    they exist even if the webhooks have not arrived.
    """
    buyer = await read_buyer(services.pocketbase, token) if token else None
    if buyer:
        await services.rate_limits.count_user(buyer.user)
    if not _SESSION.fullmatch(session_id):
        raise NoSuchPurchase
    try:
        snapshot = await read_session(services.stripe, session_id)
    except NotFound:
        raise NoSuchPurchase from None
    if not await _may_read(snapshot.body, buyer, services.pocketbase, token):
        raise NoSuchPurchase
    return _to_outcome(await sync_session_snapshot(services.sync_snapshot, snapshot))


def read_page(body: SetupRequest, origins: Sequence[str]) -> CheckoutPage:
    """Return the page of a request.

    Args:
        origins: the allowed frontends, from the setting GATEWAY_FRONTEND_ORIGINS.

    Raises:
        InvalidRequest: a redirect address is missing, not used by this ui_mode, or not allowed.
    """
    is_hosted = body.ui_mode == "hosted_page"
    needed = ("success_url", "cancel_url") if is_hosted else ("return_url",)
    urls = {}
    for name in ("success_url", "cancel_url", "return_url"):
        url: str | None = getattr(body, name)
        if (url is not None) != (name in needed):
            verb = "needs" if name in needed else "takes no"
            raise invalid_field(name, "wrong_page", f"{body.ui_mode} {verb} {name}.")
        urls[name] = check_redirect(name, url, origins) if url is not None else ""
    return CheckoutPage(ui_mode=body.ui_mode, locale=body.locale or "", **urls)


def _respond(session: CheckoutSession) -> CheckoutResponse:
    return CheckoutResponse(id=session.id, url=session.url, client_secret=session.client_secret)


async def _may_read(session: Json, buyer: Buyer | None, pocketbase: PocketBase, token: str) -> bool:
    """Check the owner of the session's customer; without an owner, the session's metadata.

    Only the seller can set metadata. A client_reference_id is not trusted: clients can choose it.
    """
    metadata = session.get("metadata") or {}
    if buyer is None:
        return metadata.get(GUEST_METADATA) == "true"
    if customer := stripe_id(session.get("customer")):
        owner = (await read_buyer(pocketbase, token, owner_of=customer)).owner
        if owner:
            return owner == "theirs"
    if organization := metadata.get(ORGANIZATION_METADATA):
        # The present managers; the user who bought may have left.
        return await _manages(pocketbase, token, organization)
    return bool(metadata.get(USER_METADATA) == buyer.user)


async def _manages(pocketbase: PocketBase, token: str, organization: str) -> bool:
    try:
        await read_buyer(pocketbase, token, organization=organization)
    except NoOrganization:
        return False
    return True


def _to_outcome(session: Json) -> CheckoutOutcome:
    return CheckoutOutcome(
        id=session["id"],
        mode=session["mode"],
        status=session["status"],
        payment_status=session["payment_status"],
        checkout_session=record_id(session["id"]),
        subscription=relation(session.get("subscription")),
        payment=relation(session.get("payment_intent")),
        setup_intent=relation(session.get("setup_intent")),
        invoice=relation(session.get("invoice")),
    )
