"""Finds organizations that are billed without an owner or without members.

PocketBase compares the rows (pb_hooks/lib/teams/vacancies.js), so it does not matter what removed
the last one, or whether the gateway was running then.
"""

import logging
from dataclasses import dataclass

from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.teams import CHECK_ORGANIZATIONS, OrganizationsRequest
from gateway.pocketbase.hook_call import call_hook

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class OrganizationCheck:
    """Any number of gateways may run it."""

    pocketbase: PocketBase
    #: Organizations that had no member at the last look.
    _seen: tuple[str, ...] = ()

    async def check(self) -> None:
        """Promote a member where there is no owner; end the billing where there are no members.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        asked = OrganizationsRequest(seen=self._seen)
        answer = await call_hook(self.pocketbase, CHECK_ORGANIZATIONS, asked)
        self._seen = answer.vacant
        for promoted in answer.promoted:
            _log.warning(
                "organization without an owner: member promoted", extra=promoted.model_dump()
            )
        for organization in answer.ended:
            told = {"organization": organization}
            _log.warning("organization without members: billing ends", extra=told)
