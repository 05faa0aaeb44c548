"""Finds organizations with a Stripe customer that have no owner or no members.

PocketBase compares the rows (pb_hooks/lib/teams/vacancies.js) at each check, so the cause of a
vacancy does not matter, nor whether the gateway was running. See
docs/decisions/023-consent-and-vacancies.md.
"""

import logging
from dataclasses import dataclass
from typing import NoReturn

from gateway.background import repeat
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.teams import CHECK_ORGANIZATIONS, OrganizationsRequest
from gateway.pocketbase.hook_call import call_hook

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0


@dataclass(slots=True)
class VacancyCheck:
    """Runs in the background; several gateways can run it at once."""

    pocketbase: PocketBase
    #: Ids of the organizations that had no members at the last check.
    _without_members: tuple[str, ...] = ()

    async def run(self) -> NoReturn:
        """Check every two seconds; log failures and try again."""
        await repeat(self.check, _PAUSE_SECONDS, _log, "vacancy check", GatewayError)

    async def check(self) -> None:
        """Promote a member if there is no owner; end the billing if there are no members.

        The billing ends only if two checks in a row find no members.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        request = OrganizationsRequest(seen=self._without_members)
        answer = await call_hook(self.pocketbase, CHECK_ORGANIZATIONS, request)
        self._without_members = answer.vacant
        for promoted in answer.promoted:
            _log.warning(
                "organization without an owner: member promoted", extra=promoted.model_dump()
            )
        for organization in answer.ended:
            _log.warning(
                "organization without members: billing ends", extra={"organization": organization}
            )
