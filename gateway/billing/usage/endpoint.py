"""POST /usage and POST /usage/cancel."""

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from gateway.billing.usage.recorder import (
    MAX_VALUE,
    MeterArchived,
    NothingMetered,
    Usage,
    UsageNotFound,
)
from gateway.customers.buyer import read_buyer
from gateway.dates import LAST_UNIX
from gateway.dependencies import (
    OperatorRoute,
    ServicesDep,
    SignedInRoute,
    SuperuserToken,
    Token,
)
from gateway.errors import (
    CALLER_ERRORS,
    Forbidden,
    SuperuserNeeded,
    SuperusersOnly,
    Unauthenticated,
)
from gateway.http.problems import problem_responses
from gateway.http.request_model import RequestModel
from gateway.http.response_types import ResponseModel
from gateway.pocketbase.superuser import check_superuser


class MeterNotOpen(Forbidden):
    """Users can't report usage on this meter."""

    kind = Forbidden


_ERRORS = (
    *CALLER_ERRORS,
    SuperuserNeeded,
    MeterNotOpen,
    SuperusersOnly,
    NothingMetered,
    MeterArchived,
)
_TOKENS = {
    401: "A PocketBase user token is needed; with `user` or `organization`, a superuser token."
}


class UsageBody(RequestModel):
    """One report of usage."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user": "k2m7x0v9p4q1r8s",
                    "meter": "api_requests",
                    "value": 25,
                    "identifier": "batch-2026-11-23-17",
                }
            ]
        }
    )

    meter: str = Field(min_length=1, max_length=100, description="The meter's event name.")
    value: float = Field(
        ge=-MAX_VALUE,
        le=MAX_VALUE,
        allow_inf_nan=False,
        description="Rounded to 15 digits, 12 of them after the decimal point. A negative value "
        "corrects earlier reports: superusers only.",
    )
    identifier: str = Field(
        min_length=1, max_length=255, description="Reports with the same one count once."
    )
    timestamp: int | None = Field(
        default=None,
        ge=0,
        le=LAST_UNIX,
        description="Unix seconds by Stripe's clock, by default now. At most 35 days ago, at most "
        "5 minutes in the future, and not before the subscription began.",
    )
    user: str | None = Field(
        default=None, min_length=1, max_length=255, description="Superusers only: the paying user."
    )
    organization: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Superusers only: the paying organization.",
    )

    @model_validator(mode="after")
    def _check_payer(self) -> "UsageBody":
        if self.user is not None and self.organization is not None:
            raise ValueError("send either user or organization, not both")
        return self


class UsageResponse(ResponseModel):
    """The usage is recorded."""

    recorded: bool = Field(
        examples=[True],
        description="False if the identifier was reported before: the first report counts.",
    )


router = APIRouter(tags=["usage"], route_class=SignedInRoute)
cancel_router = APIRouter(tags=["usage"], route_class=OperatorRoute)


@router.post(
    "/usage",
    operation_id="report_usage",
    responses=problem_responses(*_ERRORS, texts=_TOKENS),
)
async def report_usage(
    body: UsageBody,
    token: Token,
    services: ServicesDep,
) -> UsageResponse:
    """Report usage: superusers for any payer, users their own on GATEWAY_SELF_SERVICE_METERS."""
    organization = body.organization or ""
    is_superuser = body.user is not None or bool(organization)
    if is_superuser:
        await check_superuser(services.pocketbase, token)
        user = body.user or ""
    else:
        user = (await read_buyer(services.pocketbase, token)).user
        await services.rate_limits.count_user(user)
        if body.meter not in services.settings.gateway_self_service_meters:
            raise MeterNotOpen
    usage = Usage(
        user,
        body.meter,
        body.value,
        body.identifier,
        body.timestamp,
        organization,
        correction=is_superuser,
    )
    return UsageResponse(recorded=await services.usage.record(usage))


class CancelUsageBody(RequestModel):
    """The report to cancel."""

    meter: str = Field(min_length=1, max_length=100, description="The meter's event name.")
    identifier: str = Field(
        min_length=1, max_length=255, description="The identifier of the report."
    )
    user: str | None = Field(default=None, max_length=255, description="The user of the report.")
    organization: str | None = Field(
        default=None, max_length=255, description="The organization of the report."
    )

    @model_validator(mode="after")
    def _check_payer(self) -> "CancelUsageBody":
        if bool(self.user) == bool(self.organization):
            raise ValueError("send either user or organization")
        return self


class CancelUsageResponse(ResponseModel):
    """The report is canceled."""

    canceled: bool = Field(examples=[True])


@cancel_router.post(
    "/usage/cancel",
    operation_id="cancel_usage",
    responses=problem_responses(
        *(error for error in _ERRORS if error not in (Unauthenticated, MeterNotOpen)),
        UsageNotFound,
    ),
)
async def cancel_usage(
    body: CancelUsageBody,
    token: SuperuserToken,
    services: ServicesDep,
) -> CancelUsageResponse:
    """Cancel a report of the last 24 hours; superusers only. Finalized invoices don't change."""
    await check_superuser(services.pocketbase, token)
    user, organization = body.user or "", body.organization or ""
    usage = Usage(user, body.meter, 0, body.identifier, organization=organization)
    await services.usage.cancel(usage)
    return CancelUsageResponse(canceled=True)
