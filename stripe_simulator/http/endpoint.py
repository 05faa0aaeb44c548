"""The ASGI door of the API: `/v1` and `/v2`, with faults."""

import asyncio
from collections import Counter
from email.utils import formatdate
from typing import Any

from starlette.types import Receive, Scope, Send

from stripe_simulator.errors import StripeError
from stripe_simulator.http.api import Api
from stripe_simulator.http.faults import Fault, Faults
from stripe_simulator.http.idempotency import key_of
from stripe_simulator.http.messages import Answer, Request, write
from stripe_simulator.http.rate_limit import REASON, RateLimit


class Endpoint:
    """Reads a request, meets its fault, lets the API act and sends the answer."""

    def __init__(
        self,
        api: Api,
        faults: Faults,
        rate_limit: RateLimit | None = None,
        requests: Counter[str] | None = None,
    ) -> None:
        self.api = api
        self.faults = faults
        self.rate_limit = rate_limit or RateLimit()
        self.requests = requests if requests is not None else Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        self.requests[request.method] += 1
        limited = self.rate_limit.refuse()
        if limited:
            self.requests["429"] += 1
            refused = self.api.failed(request, limited)
            refused.headers.update(REASON)
            await respond(send, refused, self.api.world.now)
            return
        fault = self.faults.next_for(request)
        answer = await self._answer(request, fault)
        if fault is not None and fault.reset:
            await asyncio.sleep(fault.hang_ms / 1000)
            await break_off(receive)
        else:
            await respond(send, answer, self.api.world.now)

    async def _answer(self, request: Request, fault: Fault | None) -> Answer:
        refused = self.api.refuse(request)
        if refused is not None:
            return refused
        key, in_use = key_of(request), self.api.idempotency.in_use
        if key:
            in_use.add(key)
        try:
            answer = await self._act(request, fault)
        finally:
            in_use.discard(key or "")
        if fault is None or fault.reset != "before":
            self.api.idempotency.store(request, answer)
        return answer

    async def _act(self, request: Request, fault: Fault | None) -> Answer:
        if fault is None:
            return self.api.act(request)
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.status:
            return _refusal(self.api, request, fault)
        if fault.reset == "before":
            return Answer(0, {})
        return self.api.act(request)


def _refusal(api: Api, request: Request, fault: Fault) -> Answer:
    if fault.status == 429:
        error = StripeError(429, "invalid_request_error", "Too many requests.", code="rate_limit")
    else:
        kind = "api_error" if fault.status >= 500 else "invalid_request_error"
        said = {name: getattr(fault, name) or None for name in ("code", "decline_code", "param")}
        error = StripeError(fault.status, fault.type or kind, fault.message, **said)
    answer = api.failed(request, error)
    headers = dict(answer.headers)
    if fault.status in (429, 503):
        headers["Retry-After"] = str(fault.retry_after)
    if fault.should_retry:
        headers["Stripe-Should-Retry"] = fault.should_retry
    return Answer(answer.status, answer.body, headers)


async def read(scope: Scope, receive: Receive) -> Request:
    """Read the whole request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["path"], query, body, headers)


async def respond(send: Send, answer: Answer, now: int) -> None:
    """Send an answer; its Date is the simulated time."""
    body = write(answer.body)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Date": formatdate(now, usegmt=True),
        **answer.headers,
    }
    encoded = [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def break_off(receive: Receive) -> None:
    """Cut the connection without an answer; without a server it is a ConnectionResetError."""
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the simulator broke the connection off")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
