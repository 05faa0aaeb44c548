"""The API without a server: one request value in, one answer value out."""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote

from stripe_simulator.errors import StripeError
from stripe_simulator.http import routes
from stripe_simulator.http.expansion import expand
from stripe_simulator.http.form import parse
from stripe_simulator.http.idempotency import Idempotency, key_of
from stripe_simulator.http.limits import check_cursors, check_metadata
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.http.permissions import check_permission
from stripe_simulator.settings import API_VERSION, OLDER_VERSION
from stripe_simulator.snapshots import JSON, show
from stripe_simulator.world import World


@dataclass(slots=True)
class Api:
    """Stripe's API over one world."""

    world: World
    #: The only key that is accepted; any test key when None.
    api_key: str | None = None
    idempotency: Idempotency = field(default_factory=Idempotency)

    def answer(self, request: Request) -> Answer:
        """Authenticate, replay or act, and store what must be replayed."""
        refused = self.refuse(request)
        if refused is not None:
            return refused
        answer = self.act(request)
        self.idempotency.store(request, answer)
        return answer

    def refuse(self, request: Request) -> Answer | None:
        """Return the answer to a request that does not act: a bad key, or a repeated one."""
        try:
            self._authenticate(request)
            return self.idempotency.replay(request)
        except StripeError as error:
            return self.failed(request, error)

    def act(self, request: Request) -> Answer:
        """Carry the request out."""
        self.world.clock.tick()
        headers = self._headers(request)
        caused_by = {"id": headers["Request-Id"], "idempotency_key": key_of(request)}
        self.world.request = caused_by if request.method != "GET" else self.world.request
        try:
            body = self._result(request)
            self.world.clock.tick()
            return Answer(200, body, headers)
        except StripeError as error:
            return _refused(error, headers)
        finally:
            self.world.request = {"id": None, "idempotency_key": None}

    def call(self, method: str, path: str, params: JSON | None = None) -> JSON:
        """Call a transition in this process with typed parameters; errors are raised."""
        params = dict(params or {})
        check_metadata(params)
        check_cursors(params)
        paths = params.pop("expand", [])
        result = routes.find(method, path)(self.world, params)
        return show(expand(self.world, result, paths) if paths else result)

    def failed(self, request: Request, error: StripeError) -> Answer:
        """The answer that an error is."""
        return _refused(error, self._headers(request))

    def _result(self, request: Request) -> JSON:
        text = request.body.decode() if request.method == "POST" else request.query
        if request.method == "DELETE" and request.body:
            text = request.body.decode()
        params = parse(text)
        if version_of(request) < API_VERSION:
            params.pop("payment_method_types", None)
        return self.call(request.method, unquote(request.path), params)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Request-Id": self.world.ids.plain("req"),
            "Stripe-Version": version_of(request),
        }
        key = key_of(request)
        return headers | ({"Idempotency-Key": key} if key else {})

    def _authenticate(self, request: Request) -> None:
        key = _key(request.headers.get("authorization", ""))
        if not key:
            raise StripeError(
                401,
                "invalid_request_error",
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY').",
            )
        if not self._accepts(key):
            shown = f"{key[:8]}{'*' * 8}{key[-4:]}"
            message = f"Invalid API Key provided: {shown}"
            raise StripeError(401, "invalid_request_error", message)
        check_permission(self.world, key, request)

    def _accepts(self, key: str) -> bool:
        if self.api_key:
            return key == self.api_key or key in self.world.facts("restricted_key")
        return key.startswith(("sk_test_", "rk_test_"))


def _refused(error: StripeError, headers: dict[str, str]) -> Answer:
    """An error's answer, with the request's page in the dashboard."""
    log = f"https://dashboard.stripe.com/test/logs/{headers['Request-Id']}"
    body = {"error": error.error | {"request_log_url": log}}
    return Answer(error.status, body, headers)


def version_of(request: Request) -> str:
    """The API version of a request; the Stripe CLI names none and means an older one."""
    cli = "stripe-cli" in request.headers.get("user-agent", "")
    return request.headers.get("stripe-version", OLDER_VERSION if cli else API_VERSION)


def _key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        return base64.b64decode(credentials + "==").decode("utf-8", "replace").partition(":")[0]
    return ""
