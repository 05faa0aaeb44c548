"""Errors as responses: problem+json for everything that can go wrong, and its OpenAPI entry."""

import logging
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from gateway.errors import GatewayError, MethodNotAllowed, describe, problem

_log = logging.getLogger(__name__)
_MEDIA_TYPE = "application/problem+json"


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem document that gives nothing away."""
    app.add_exception_handler(GatewayError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_error)


def problem_responses(*errors: type[GatewayError]) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI ``responses`` for error classes; classes of one status share an entry."""
    found: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = found.setdefault(
            error.status, {"description": "", "content": {_MEDIA_TYPE: {"examples": {}}}}
        )
        instance = error()
        entry["description"] = " ".join(filter(None, (entry["description"], instance.title)))
        entry["content"][_MEDIA_TYPE]["examples"][instance.slug] = {"value": describe(instance)}
        if error.retry_after is not None:
            entry["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return found


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body, body["status"], headers=headers, media_type=_MEDIA_TYPE)


def respond_to(error: Exception, path: str) -> JSONResponse:
    """Log an error and return its problem document; one that is not ours tells nothing."""
    if not isinstance(error, GatewayError):
        _log.error("unexpected error", exc_info=error, extra={"path": path})
        return _respond(problem(500, "Internal Server Error", "Something went wrong on our side."))
    log = _log.error if error.status >= 500 else _log.info
    told = {"problem": error.slug, "status": error.status, "path": path}
    log("problem", extra=told | _explain(error))
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    return _respond(describe(error), headers)


def _explain(error: BaseException) -> dict[str, str]:
    """The reason of a failure: the network's (a refused connection), or what the error says."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError):
        cause = cause.__cause__
    if cause:
        return {"reason": str(cause) or type(cause).__name__}
    if isinstance(error, GatewayError) and error.status >= 500:
        return {"reason": error.detail}
    return {}


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    return respond_to(error, request.url.path)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Name each bad field as PocketBase does: ``data.<field> = {code, message}``."""
    data = {}
    for item in cast("RequestValidationError", error).errors():
        # The first part says where (body, query); a body that is no JSON has only a position.
        place = [str(part) for part in item["loc"][1:]]
        field = ".".join(place) if item["type"] != "json_invalid" else ""
        data[field or "body"] = {"code": f"validation_{item['type']}", "message": item["msg"]}
    return _respond(
        problem(
            400,
            "The request is not valid.",
            "Some fields are not valid.",
            slug="invalid-request",
            data=data,
        )
    )


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    known = cast("HTTPException", error)
    body = problem(known.status_code, known.detail, known.detail)
    return _respond(body, dict(known.headers or {}))
