"""The control API under `/_simulator/`: what Stripe has no address for."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_simulator import large_account
from stripe_simulator.errors import StripeError, invalid
from stripe_simulator.http import actions
from stripe_simulator.http.permissions import restrict
from stripe_simulator.resources import webhook_endpoints
from stripe_simulator.simulator import Simulator
from stripe_simulator.snapshots import JSON

Handler = Callable[[Simulator, dict[str, str], JSON], Any]


def routes(simulator: Simulator) -> list[Route]:
    """Every control address of a simulator."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "state", _state),
        ("POST", "reset", _reset),
        ("POST", "large_account", _fill),
        ("POST", "large_account/change", _change),
        ("POST", "rate_limit", _limit_rate),
        ("GET", "clock", _clock),
        ("POST", "clock/advance", _advance),
        ("GET", "faults", lambda s, ids, given: s.faults.listed()),
        ("POST", "faults", _add_fault),
        ("DELETE", "faults", lambda s, ids, given: s.faults.rules.clear()),
        ("GET", "deliveries", _deliveries),
        ("POST", "deliveries", _switch),
        ("POST", "events/{id}/redeliver", _redeliver),
        ("GET", "violations", lambda s, ids, given: s.violations),
        ("POST", "webhook_endpoints", _endpoint),
        ("POST", "connect", _connect),
        ("POST", "restricted_keys", _restrict),
    ]
    table += [("POST", path, _action(act)) for path, act in actions.ACTIONS.items()]
    return [
        Route(f"/_simulator/{path}", _door(simulator, handler), methods=[method])
        for method, path, handler in table
    ]


def _door(simulator: Simulator, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        given: JSON = json.loads(body) if body else dict(request.query_params)
        try:
            result = handler(simulator, dict(request.path_params), given)
            if isinstance(result, Awaitable):
                result = await result
        except StripeError as error:
            return JSONResponse(error.body, error.status)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse(invalid(f"{type(error).__name__}: {error}").body, 400)
        simulator.deliverer.wake()
        return JSONResponse({"ok": True} if result is None else result)

    return answer


def _action(act: actions.Action) -> Handler:
    return lambda simulator, ids, given: act(simulator.world, ids.get("id", ""), given)


def _state(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    world, deliverer = simulator.world, simulator.deliverer
    switches = deliverer.switches
    return {
        "now": world.now,
        **large_account.describe(world),
        "requests": dict(simulator.requests),
        "deliveries": dict(deliverer.counts) | {"idle": deliverer.idle},
        "faults": simulator.faults.listed(),
        "switches": {name: getattr(switches, name) for name in switches.__slots__},
        "violations": len(simulator.violations),
    }


def _fill(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    """Copies are built when they are read, so they are not written to the state file."""
    simulator.file = None
    return large_account.fill(simulator.world, int(given["objects"]), int(given.get("events", 0)))


def _change(simulator: Simulator, ids: dict[str, str], given: JSON) -> list[JSON]:
    return large_account.change(simulator.world, int(given["number"]))


def _limit_rate(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    """Answer 429 above `per_second` requests; null ends that."""
    simulator.rate_limit.change(given.get("per_second"))


def _reset(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    simulator.reset(int(given.get("seed", 0)), given.get("now"))


def _clock(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    return {"now": simulator.world.now, "agenda": len(simulator.world.clock.agenda)}


def _advance(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    before = len(simulator.world.events)
    if "to" in given:
        simulator.world.clock.advance_to(int(given["to"]))
    else:
        simulator.world.clock.advance(int(given["seconds"]))
    return {"now": simulator.world.now, "events": len(simulator.world.events) - before}


def _add_fault(simulator: Simulator, ids: dict[str, str], given: JSON) -> list[JSON]:
    simulator.faults.add(given)
    return simulator.faults.listed()


async def _deliveries(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    """`?wait=10` waits until everything is delivered; `?limit=` and `?event=` choose the log."""
    deliverer = simulator.deliverer
    if "wait" in given:
        await deliverer.wait_until_idle(float(given["wait"]))
    entries = [e for e in deliverer.log if given.get("event") in (None, e["event"])]
    limit = int(given.get("limit", 100))
    return {
        "idle": deliverer.idle,
        "counts": dict(deliverer.counts),
        "log": entries[-limit:] if limit else [],
    }


def _switch(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    simulator.deliverer.change(given)


def _redeliver(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    world = simulator.world
    if ids["id"] not in world.events_by_id:
        raise invalid(f"No such event: '{ids['id']}'", "id", "resource_missing")
    endpoint = given.get("endpoint")
    endpoints = [endpoint] if endpoint else list(world.all("webhook_endpoint"))
    simulator.deliverer.redeliver(ids["id"], endpoints, int(given.get("times", 1)))


def _endpoint(simulator: Simulator, ids: dict[str, str], given: JSON) -> JSON:
    url, events = given.pop("url"), given.pop("enabled_events", ["*"])
    return webhook_endpoints.open(simulator.world, url, events, **given)


def _connect(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    """Events from now on happen on a connected account; null ends that."""
    simulator.world.connected_account = given.get("account")


def _restrict(simulator: Simulator, ids: dict[str, str], given: JSON) -> None:
    """A key with some permissions, accepted besides the account's own."""
    restrict(simulator.world, given["key"], given.get("permissions"))
