"""The contracts of pb_hooks' routes are exactly what the real hooks take and answer."""

import re
import time
from secrets import token_hex
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, TypeAdapter

from gateway.dev.pocketbase import ROOT
from gateway.errors import HooksMismatch
from gateway.pocketbase import CommitBatch, EventRow, PocketBase, VersionedRow
from gateway.pocketbase.commit import _encode
from gateway.pocketbase.contracts import ROUTES
from gateway.pocketbase.contracts.billing import METERED, USE_PREVIEW, MeteredRequest, PreviewUse
from gateway.pocketbase.contracts.buyer import (
    BUYER,
    END_PENDING_CHECKOUT,
    PRICES,
    BuyerAnswer,
    BuyerRequest,
    OrderRequest,
    PendingCheckoutEnd,
    PricesRequest,
)
from gateway.pocketbase.contracts.caller import CALLER
from gateway.pocketbase.contracts.commit import COMMIT, CommitHead
from gateway.pocketbase.contracts.customer_changes import READ_CHANGE, CustomerChange
from gateway.pocketbase.contracts.database import CHECKPOINT, CheckpointRequest
from gateway.pocketbase.contracts.diagnosis import DIAGNOSIS
from gateway.pocketbase.contracts.effects import REGISTER_EFFECTS, EffectEntry, EffectsRequest
from gateway.pocketbase.contracts.entitlements import LAPSE
from gateway.pocketbase.contracts.events import PRUNE, PruneRequest
from gateway.pocketbase.contracts.health import VERSION, WRITE_PROBE
from gateway.pocketbase.contracts.jobs import START_JOB, JobStart
from gateway.pocketbase.contracts.notifications import SEND_MAIL, MailFrom, MailRequest
from gateway.pocketbase.contracts.privacy import (
    BEGIN_ERASURE,
    ERASE_PART,
    FIND_TEXTS,
    FINISH_ERASURE,
    ErasePartRequest,
    ErasureRequest,
    FindRequest,
    FinishRequest,
)
from gateway.pocketbase.contracts.route import Empty, HookRoute
from gateway.pocketbase.contracts.schedules import STORE_TICKS, DueTick, TicksRequest
from gateway.pocketbase.contracts.teams import (
    CHECK_ORGANIZATIONS,
    SEATS,
    OrganizationsRequest,
    SeatsRequest,
)
from gateway.pocketbase.contracts.transforms import (
    DRY_RUN,
    REGISTER,
    RegisterRequest,
    TransformEntry,
)
from gateway.pocketbase.contracts.work import (
    ADD_LOST_WORK,
    CANCEL_WORK,
    DO_PART,
    ENQUEUE,
    EXCHANGE,
    PAUSE_WORK,
    PRUNE_WORK,
    RETRY_WORK,
    WORK_STATUS,
    CancelWorkRequest,
    EnqueueRequest,
    ExchangeRequest,
    HandlerLimit,
    LostWork,
    NewItem,
    PartRequest,
    PauseWorkRequest,
    PruneWorkRequest,
    Renewal,
    RetryWorkRequest,
    Settle,
    WriteRequest,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import OwnershipClaim, Row, Version, WorkEntry
from gateway.settings import decode_hook_secret
from gateway.transforms.hook_signature import sign
from tests.hooks.conftest import Business

T = TypeVar("T")
R = TypeVar("R")


async def _ask(
    pocketbase: PocketBase,
    route: HookRoute[R, T],
    request: BaseModel | bytes,
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> T:
    """Call a route; its answer may have no member that the contract does not name."""
    is_get = route.method == "GET"
    body = None
    if not is_get:
        body = request if isinstance(request, bytes) else _dump(request)
    query = request.model_dump() if is_get and isinstance(request, BaseModel) else None
    answer = await pocketbase.call(
        route.method, route.path, body, token=token, query=query, headers=headers
    )
    return route.read(answer, extra="forbid")


def _dump(request: BaseModel) -> bytes:
    return request.model_dump_json(by_alias=True).encode()


def test_each_route_has_a_contract() -> None:
    """The routes that the hooks add are those of the contracts, method and path."""
    hooks = "".join(path.read_text() for path in sorted((ROOT / "pb_hooks").glob("*.pb.js")))
    added = set(re.findall(r'routerAdd\(\s*"(\w+)",\s*"([^"]+)"', hooks))
    assert added == {(route.method, route.path) for route in ROUTES}
    assert len(ROUTES) == len(added)


def test_no_request_is_built_beside_its_contract() -> None:
    """Paths of hook routes occur in the contracts only."""
    folder = ROOT / "gateway"
    beside = [
        path.relative_to(folder)
        for path in folder.rglob("*.py")
        if path.parent.name != "contracts" and '"/api/gateway/' in path.read_text()
    ]
    assert beside == []


async def test_version(pocketbase: PocketBase) -> None:
    """GET /api/gateway/version."""
    answer = await _ask(pocketbase, VERSION, Empty())
    assert answer.hooks
    assert answer.migrations
    assert (answer.files, answer.missing) == ((), ())


async def test_write_probe(pocketbase: PocketBase) -> None:
    """POST /api/gateway/write-probe."""
    await _ask(pocketbase, WRITE_PROBE, Empty())


async def test_checkpoint(pocketbase: PocketBase) -> None:
    """POST /api/gateway/checkpoint raises the limit of the writer's log, and restores it."""
    deferred = await _ask(pocketbase, CHECKPOINT, CheckpointRequest(deferred=True))
    usual = await _ask(pocketbase, CHECKPOINT, CheckpointRequest(deferred=False))
    assert (deferred.before, deferred.limit) == (1000, 15000)
    assert usual.limit == 1000
    assert usual.pages >= 0


async def test_prune(pocketbase: PocketBase) -> None:
    """POST /api/gateway/prune."""


async def test_diagnosis(pocketbase: PocketBase) -> None:
    """GET /api/gateway/diagnosis."""
    answer = await _ask(pocketbase, DIAGNOSIS, Empty())
    assert answer.client.address == "127.0.0.1"
    assert answer.bytes["data.db"] > 0
    assert all(each.found == each.expected for each in answer.collections)


async def test_prune_and_deferred_work(pocketbase: PocketBase) -> None:
    """POST /api/gateway/prune and /deferred-work."""
    asked = PruneRequest(before="2100-01-01 00:00:00.000Z", limit=10, dry_run=True)
    assert (await _ask(pocketbase, PRUNE, asked)).pruned > 10


async def test_buyer(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/buyer with every member, for a user."""
    order = OrderRequest(key=token_hex(20), request_hash=token_hex(32), once=True)
    asked = BuyerRequest(
        prices=("pro_monthly", "lifetime"),
        subscription=business.subscription,
        owner_of=business.customer,
        others=True,
        order=order,
    )
    answer = await _ask(pocketbase, BUYER, asked, business.user.token)
    assert answer.user.id == business.user.id
    assert answer.owner == "theirs"
    assert len(answer.prices) == 2
    assert answer.subscription
    assert answer.subscription.other_prices == ()
    assert answer.history
    assert answer.history.key
    assert answer.history.key.request_hash == order.request_hash
    assert answer.history.subscriptions[0].stripe_id == business.subscription
    assert answer.history.held


async def test_buyer_of_an_organization(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/buyer for an organization that the user manages."""
    asked = BuyerRequest(organization=business.team)
    answer = await _ask(pocketbase, BUYER, asked, business.owner.token)
    assert answer.organization
    assert answer.organization.members == 4
    assert answer.history is None


async def test_caller(pocketbase: PocketBase, business: Business) -> None:
    """GET /api/gateway/caller, by a user's token: with the address, without what is hidden."""
    answer = await _ask(pocketbase, CALLER, Empty(), business.owner.token)
    assert answer.record["collectionName"] == "users"
    assert answer.record["email"] == business.owner.email
    assert "tokenKey" not in answer.record


async def test_prices(pocketbase: PocketBase) -> None:
    """POST /api/gateway/prices."""
    answer = await _ask(pocketbase, PRICES, PricesRequest(prices=("pro_monthly", "none")))
    assert [price.lookup_key for price in answer.prices] == ["pro_monthly"]


async def test_end_of_a_purchase(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/pending-checkout/end answers nothing."""
    await _ask(
        pocketbase, END_PENDING_CHECKOUT, PendingCheckoutEnd(buyer=business.user.id, number=7)
    )


async def test_customer_changes(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/customers/change: needed, with the contact, and outdated."""
    asked = CustomerChange(change="update", payer=business.user.id, customer=business.customer)
    current = await _ask(pocketbase, READ_CHANGE, asked)
    assert (current.outdated, current.email) == ("", business.user.email)
    dropped = asked.model_copy(update={"change": "delete", "deletion": token_hex(7)})
    assert (await _ask(pocketbase, READ_CHANGE, dropped)).outdated == "The deletion was dropped."


async def test_work(pocketbase: PocketBase) -> None:
    """POST /api/gateway/work/exchange and /enqueue with every member; the operator's routes."""
    names = [f"tests.contract_{token_hex(4)}" for _ in range(2)]
    items = tuple(NewItem(id=token_hex(7) + "0", kind="task", handler=name) for name in names)
    assert (await _ask(pocketbase, ENQUEUE, EnqueueRequest(items=items))).changed == 2
    # A handler without parts fails.
    assert (await _ask(pocketbase, DO_PART, PartRequest(id=items[0].id))).error
    asked = ExchangeRequest(
        token=token_hex(8),
        handlers=tuple(HandlerLimit(name=name, limit=1) for name in names),
        limit=10,
        lease_seconds=60,
    )
    first, second = (await _ask(pocketbase, EXCHANGE, asked)).items
    write = WriteRequest(method="update", collection="users", id="none")
    settle = Settle(id=first.id, claim=first.claim, status="done", writes=(write,))
    renewal = Renewal(id=second.id, claim=second.claim, progress=1, state=2)
    answer = await _ask(
        pocketbase, EXCHANGE, asked.model_copy(update={"settle": (settle,), "renew": (renewal,)})
    )
    assert (answer.failed[0].id, answer.renewed[0].id) == (first.id, second.id)
    ids = (first.id, second.id)
    assert (await _ask(pocketbase, CANCEL_WORK, CancelWorkRequest(ids=ids))).changed == 2
    assert (await _ask(pocketbase, RETRY_WORK, RetryWorkRequest(ids=ids))).changed == 0
    pause = PauseWorkRequest(handler=names[0], paused=True)
    assert (await _ask(pocketbase, PAUSE_WORK, pause)).changed == 1
    status = await _ask(pocketbase, WORK_STATUS, Empty())
    assert names[0] in status.paused
    assert {count.handler for count in status.counts if count.status == "running"} >= set(names)


async def test_jobs(pocketbase: PocketBase) -> None:
    """POST /api/gateway/jobs/start: stored, known already, and beyond each limit."""
    asked = JobStart(
        id=f"{token_hex(7)}0",
        handler="job.contract",
        user=token_hex(7),
        payload='{"large":12345678901234567890}',
        tries=1,
        max_open=1,
        max_started=0,
        period_seconds=0,
    )
    answers = [await _ask(pocketbase, START_JOB, asked) for _ in range(2)]
    assert [answer.outcome for answer in answers] == ["created", "existing"]
    assert answers[1].payload == asked.payload
    another = asked.model_copy(update={"id": f"{token_hex(7)}1"})
    assert (await _ask(pocketbase, START_JOB, another)).outcome == "too_many_open"
    limits = {"max_open": 0, "max_started": 1, "period_seconds": 60}
    limited = await _ask(pocketbase, START_JOB, another.model_copy(update=limits))
    assert limited.outcome == "too_many_started"
    assert 50 < limited.retry_after <= 60
    await _ask(pocketbase, CANCEL_WORK, CancelWorkRequest(ids=(asked.id,)))


async def test_previews(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/previews/use."""
    asked = PreviewUse(
        preview=token_hex(8),
        key="none",
        subscription=business.subscription,
        date=1_900_000_000,
        now=1_900_000_001,
        is_credit=True,
    )
    answer = await _ask(pocketbase, USE_PREVIEW, asked)
    assert (answer.key, answer.date, answer.changed) == ("none", 1_900_000_000, False)


async def test_metered_usage(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/metered, with and without a customer to bill."""
    asked = MeteredRequest(user=business.user.id, organization="", meter=business.meter)
    assert (await _ask(pocketbase, METERED, asked)).customer == business.customer
    asked = MeteredRequest(user="nobody", organization="", meter=business.meter)
    assert (await _ask(pocketbase, METERED, asked)).customer == ""


async def test_seats(pocketbase: PocketBase) -> None:
    """GET /api/gateway/seats."""
    answer = await _ask(pocketbase, SEATS, SeatsRequest(after=""))
    [seats] = answer.seats
    assert (seats.members, seats.quantity, seats.price.is_by_member) == (4, 3, True)


async def test_organizations(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/organizations/check: an organization without members, seen twice."""
    vacant = (await _ask(pocketbase, CHECK_ORGANIZATIONS, OrganizationsRequest(seen=()))).vacant
    assert vacant == (business.vacant,)
    asked = OrganizationsRequest(seen=vacant)
    assert (await _ask(pocketbase, CHECK_ORGANIZATIONS, asked)).ended == vacant


async def test_work_of_an_event(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/work/exchange hands out the event with the current rows."""
    asked = ExchangeRequest(
        token=token_hex(8),
        handlers=(HandlerLimit(name="mail", limit=5),),
        limit=5,
        lease_seconds=60,
    )
    [item] = (await _ask(pocketbase, EXCHANGE, asked)).items
    assert item.source == business.event
    assert item.event
    assert business.event in item.event.payload
    assert item.event.row
    assert item.event.mail
    assert item.event.mail.payment
    assert item.event.customer


async def test_pruned_work(pocketbase: PocketBase) -> None:
    """POST /api/gateway/work/prune."""
    assert (
        await _ask(
            pocketbase, PRUNE_WORK, PruneWorkRequest(limit=10, done_before="", parked_before="")
        )
    ).changed == 0


async def test_privacy(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/privacy/begin, /find, /erase and /finish, for an unknown address."""
    person = ErasureRequest(user="", customers=(), objects=(), contacts=("no@x.test",), names=())
    await _ask(pocketbase, BEGIN_ERASURE, person)
    asked = FindRequest(collection="users", after=0, limit=10, texts=(business.user.email,))
    assert (await _ask(pocketbase, FIND_TEXTS, asked)).ids == (business.user.id,)
    part = {"key": "customers", "user": "", "own": (), "contacts": ("no@x.test",), "names": ()}
    request = ErasePartRequest(**{**dict(asked), **part, "collection": "customers"})
    assert (await _ask(pocketbase, ERASE_PART, request)).changed == 0
    await _ask(pocketbase, FINISH_ERASURE, FinishRequest(**dict(person), vacuum=False))


async def test_mail(pocketbase: PocketBase) -> None:
    """POST /api/gateway/mail: not sent, because PocketBase has no mail server."""
    mail = MailRequest(
        sender=MailFrom(name="Shop", address="shop@shop.test"),
        to="ann@shop.test",
        subject="Hello",
        text="Hello",
        html="<p>Hello</p>",
        headers={"Auto-Submitted": "auto-generated"},
    )
    assert (await _ask(pocketbase, SEND_MAIL, mail)).status == "disabled"


async def test_transforms(pocketbase: PocketBase, business: Business) -> None:
    """POST /api/gateway/transforms and /dry-run."""
    entry = TransformEntry(
        collection="organizations",
        operation="update",
        timeout=1.0,
        on_failure="open",
        files=False,
        request=False,
    )
    table = RegisterRequest(
        url="http://127.0.0.1:9",
        started=1,
        superusers=False,
        max_bytes=1000,
        headers="",
        transforms=(entry,),
    )
    body = _dump(table)
    key = decode_hook_secret(business.stack.plan.hook_secrets)
    headers = sign(f"msg_{token_hex(8)}", int(time.time()), body, key)
    answer = await _ask(pocketbase, REGISTER, body, headers=headers)
    assert answer.collections["organizations"].columns["name"] is False
    assert (await _ask(pocketbase, DRY_RUN, Empty())).ticket


async def test_effects(pocketbase: PocketBase) -> None:
    """POST /api/gateway/effects: of a record and of a domain event."""
    record = EffectEntry(
        handler="after:contract",
        collection="organizations",
        operations=("create", "update"),
        fields=("name",),
        tries=3,
    )
    event = EffectEntry(handler="contract", event="entitlement.gained", key="customer", tries=3)
    request = EffectsRequest(started=1, effects=(record, event))
    answer = await _ask(pocketbase, REGISTER_EFFECTS, request)
    assert answer.overruled is False
    assert answer.collections.keys() == {"organizations", "entitlements"}
    assert answer.collections["organizations"].columns["name"] is False
    await _ask(pocketbase, REGISTER_EFFECTS, EffectsRequest(started=2, effects=()))


async def test_lost_work(pocketbase: PocketBase) -> None:
    """POST /api/gateway/work/lost."""
    await _ask(pocketbase, ADD_LOST_WORK, Empty())
    assert await _ask(pocketbase, ADD_LOST_WORK, Empty()) == LostWork(events=0, deletions=0)


async def test_lapsed_entitlements(pocketbase: PocketBase) -> None:
    """POST /api/gateway/entitlements/lapse."""
    assert (await _ask(pocketbase, LAPSE, Empty())).changed >= 0
    assert (await _ask(pocketbase, LAPSE, Empty())).changed == 0


async def test_schedules(pocketbase: PocketBase) -> None:
    """POST /api/gateway/schedules: the first tick is stored, a later one adds its run, once."""
    item = NewItem(id=token_hex(8)[:15], kind="tick", handler="schedule:contract", key="contract")
    tick = DueTick(
        id=token_hex(8)[:15],
        name="contract",
        cron="@daily",
        timezone="UTC",
        tick="2026-11-27 00:00:00.000Z",
        item=item,
    )
    assert (await _ask(pocketbase, STORE_TICKS, TicksRequest(ticks=(tick,)))).added == 0
    later = tick.model_copy(update={"tick": "2026-11-28 00:00:00.000Z"})
    assert (await _ask(pocketbase, STORE_TICKS, TicksRequest(ticks=(later,)))).added == 1
    assert (await _ask(pocketbase, STORE_TICKS, TicksRequest(ticks=(later, tick)))).added == 0


def _build_batch() -> CommitBatch:
    event = EventRow(
        f"evt_{token_hex(8)}",
        {
            "id": token_hex(8)[:15],
            "type": "customer.updated",
            "object_id": "cus_contract",
            "account": "",
            "api_version": "",
            "livemode": False,
            "created": "2026-11-27 10:00:00.000Z",
            "received": "2026-11-27 10:00:00.000Z",
        },
        "{}",
        row=0,
        work=(WorkEntry("mail", "receipt", "customers", "cus_contract", "", 1_700_000_000),),
    )
    row = Row("customers", "cus_contract", {"email": ""})
    version = Version(0, 1_795_773_600, 1_795_773_600, 1, event.stripe_id)
    claim = OwnershipClaim("cus_contract", user="nobody", since=1)
    return CommitBatch([event], [VersionedRow(row, version, event=0)], [claim])


async def test_commit(pocketbase: PocketBase) -> None:
    """POST /api/gateway/commit: head, outcomes and conflicts are as the contract says."""
    for conflicts in (0, 1):
        batch = _build_batch()
        body = _encode(batch)
        head = TypeAdapter(CommitHead).validate_json(
            body.split(b"\x1e")[0], strict=True, extra="forbid"
        )
        assert head["events"][0]["stripe_id"] == batch.events[0].stripe_id
        answer = await _ask(pocketbase, COMMIT, body)
        assert len(answer.outcomes) == 1
        assert len([conflict for conflict in answer.conflicts if conflict]) == conflicts


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"items": []},
        {"user": {}, "history": {}},
        dict.fromkeys(BuyerAnswer.model_fields),
        dict.fromkeys(BuyerAnswer.model_fields, "<html>"),
    ],
)
def test_an_answer_of_other_hooks_is_one_error(
    answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Missing members and other types: 503, and the log names the members without values."""
    with pytest.raises(HooksMismatch, match="hooks are of another version") as found:
        BUYER.read(answer)
    assert (found.value.status, found.value.slug) == (503, "pocket-base-unavailable")
    [record] = caplog.records
    assert "user" in vars(record)["reason"]
    assert "<html>" not in vars(record)["reason"]
    assert found.value.__cause__ is None


async def test_a_missing_route_is_the_same_error(pocketbase: PocketBase) -> None:
    """Hooks that lack a route: an event is not taken for one that can't be stored."""
    older = HookRoute("POST", "/api/gateway/of-later-hooks", Empty, Empty)
    with pytest.raises(HooksMismatch):
        await call_hook(pocketbase, older, Empty())
