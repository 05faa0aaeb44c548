"""Problem documents: answers every error with problem+json, and describes it for OpenAPI."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, cast

import httpx2
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import (
    GatewayError,
    MethodNotAllowed,
    StripeFailure,
    describe,
    kebab,
    problem,
)
from gateway.http.problem_schema import PROBLEM
from gateway.json_codec import dump

_log = logging.getLogger(__name__)
_MEDIA_TYPE = "application/problem+json"
#: A header of responses, for OpenAPI.
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before a retry.",
        "schema": {"type": "integer"},
    }
}
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
#: Limits of a document: members of ``data``, characters of a field's name and of a text.
_MAX_FIELDS = 20
_MAX_NAME_CHARACTERS = 100
_MAX_TEXT_CHARACTERS = 500


class ProblemException(HTTPException):
    """Wraps a `GatewayError` where FastAPI passes on only its own exceptions."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.status, error.detail)
        self.error = error


class _Problem(JSONResponse):
    """A problem document of limited size; lone surrogates are replaced."""

    media_type = _MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the document's bytes."""
        return dump(_bound(content))


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem document without internal details."""
    app.add_exception_handler(GatewayError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_error)


def problem_responses(
    *errors: type[GatewayError], texts: Mapping[int, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI ``responses`` for error classes; classes of one status share an entry.

    Args:
        texts: descriptions by status, by default the titles of the classes.
    """
    found: dict[int | str, dict[str, Any]] = {}
    titles: dict[int, dict[str, None]] = {}
    for error in dict.fromkeys(errors):
        instance = error()
        instance.members = dict(error.example_members)
        entry = found.setdefault(error.status, problem_entry(""))
        titles.setdefault(error.status, {})[instance.title] = None
        entry["description"] = (texts or {}).get(error.status) or " ".join(titles[error.status])
        # Keyed by class, because several classes may share one problem type.
        examples = entry["content"][_MEDIA_TYPE]["examples"]
        examples[kebab(error.__name__)] = {"value": describe(instance)}
        if error.retry_after is not None:
            entry["headers"] = RETRY_AFTER
    return found


def problem_entry(description: str, **examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI response with a problem document.

    Args:
        examples: problem documents by name.
    """
    values = {name: {"value": value} for name, value in examples.items()}
    content = {_MEDIA_TYPE: {"schema": PROBLEM, "examples": values}}
    return {"description": description, "content": content}


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return _Problem(body, body["status"], headers=headers)


def _bound(document: Mapping[str, Any]) -> dict[str, Any]:
    """Truncate members that may repeat text of the request."""
    bounded = dict(document)
    for name in ("title", "detail", "message"):
        bounded[name] = _cut(document[name], _MAX_TEXT_CHARACTERS)
    fields = islice(document["data"].items(), _MAX_FIELDS)
    bounded["data"] = {
        _cut(name, _MAX_NAME_CHARACTERS): _cut_values(value) for name, value in fields
    }
    return bounded


def _cut_values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _cut(each, _MAX_TEXT_CHARACTERS) for name, each in value.items()}
    return _cut(value, _MAX_TEXT_CHARACTERS)


def _cut(value: Any, length: int) -> Any:
    return f"{value[:length]}…" if isinstance(value, str) and len(value) > length else value


def respond_to(error: Exception, path: str) -> JSONResponse:
    """Log an error and return its problem document; an unexpected error's has no details."""
    if not isinstance(error, GatewayError):
        _log.error("unexpected error", exc_info=error, extra={"path": path[:_MAX_TEXT_CHARACTERS]})
        return _respond(problem(500, "Internal Server Error", "Something went wrong on our side."))
    log = _log.error if error.status >= 500 else _log.info
    fields = {"problem": error.slug, "status": error.status, "path": path[:_MAX_TEXT_CHARACTERS]}
    if isinstance(error, StripeFailure):
        # `status` is the problem's; Stripe's status is in the line "stripe refused".
        fields = error.stripe.log_fields | fields
    log("problem", extra=fields | _describe_cause(error))
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    return _respond(describe(error), headers)


def _describe_cause(error: BaseException) -> dict[str, str]:
    """Return the `reason` of a failure: the network error, or the text of a 5xx error."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError | httpx2.TransportError):
        cause = cause.__cause__
    if cause:
        return {"reason": str(cause) or type(cause).__name__}
    if isinstance(error, GatewayError) and error.status >= 500:
        return {"reason": error.detail}
    return {}


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    return respond_to(error, request.url.path)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """List the invalid fields as PocketBase does: ``data.<field> = {code, message}``."""
    errors = cast("RequestValidationError", error).errors()
    data = dict(_describe_field(item) for item in errors[:_MAX_FIELDS])
    detail = "Some fields are not valid."
    if len(errors) > _MAX_FIELDS:
        detail = f"{len(errors)} fields are not valid; the first {_MAX_FIELDS} are listed."
    return _respond(
        problem(400, "The request is not valid.", detail, slug="invalid-request", data=data)
    )


def _describe_field(item: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    # The first part is "body" or "query"; of invalid JSON the rest is a position.
    path = [str(part) for part in item["loc"][1:]]
    field = ".".join(path) if item["type"] != "json_invalid" else ""
    return field or "body", {"code": f"validation_{item['type']}", "message": item["msg"]}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemException):
        return respond_to(error.error, request.url.path)
    known = cast("HTTPException", error)
    headers = dict(known.headers or {})
    if known.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return _respond(_describe_exception(known), headers)


def _describe_exception(error: HTTPException) -> dict[str, Any]:
    """Return the problem of a team's `HTTPException`; its detail may be any JSON value."""
    detail: Any = error.detail
    if isinstance(detail, str):
        return problem(error.status_code, detail, detail)
    phrase = HTTPStatus(error.status_code).phrase
    return {**problem(error.status_code, phrase, phrase), "error": detail}


def _allowed(request: Request) -> str:
    """Return the methods of all routes of the path; Starlette lists those of one route only."""
    routes = request.app.router.routes
    methods = ["OPTIONS"]
    for method in _METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in routes):
            methods.append(method)
    if "GET" in methods and "HEAD" not in methods:
        methods.append("HEAD")
    return ", ".join(sorted(methods))


class ErrorMiddleware:
    """Answers unexpected errors inside CORS and request ids; keeps the connection open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an error after the response has started is raised to the server."""
        has_started = False

        async def send_on(message: Any) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            _log.info("client gone", extra={"path": scope["path"][:_MAX_TEXT_CHARACTERS]})
        except Exception as error:
            if scope["type"] != "http" or has_started:
                raise
            await respond_to(error, scope["path"])(scope, receive, send)
