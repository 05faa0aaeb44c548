"""Registers the transforms at PocketBase, which stores the table and so fails closed."""

import time
from secrets import token_hex

from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.transforms import REGISTER, RegisterRequest, TransformEntry
from gateway.pocketbase.hook_call import call_hook
from gateway.pocketbase.kept_registration import KeptRegistration, Overruled, UnfitCollections
from gateway.settings import Settings
from gateway.transforms.collection_check import find_absent, find_faults
from gateway.transforms.hook_endpoint import PATH
from gateway.transforms.hook_signature import sign
from gateway.transforms.table import Table


class Registration(KeptRegistration):
    """Registers one table of transforms, and renews its lease."""

    def __init__(self, settings: Settings, pocketbase: PocketBase, table: Table) -> None:
        self._pocketbase = pocketbase
        self._table = table
        self._keys = settings.hook_keys
        self._body = _describe_table(settings, table).model_dump_json().encode()
        super().__init__("transform")

    async def register(self) -> str:
        """Register the table; return the missing collections that may come later.

        Raises:
            Overruled: PocketBase uses another gateway's table.
            UnfitCollections: a collection does not match its transform.
            PocketBaseRefused: PocketBase has none of our secrets, or lacks the hooks.
            PocketBaseUnavailable: PocketBase does not answer.
        """
        headers = sign(f"msg_{token_hex(10)}", int(time.time()), self._body, *self._keys)
        answer = await call_hook(self._pocketbase, REGISTER, self._body, headers=headers)
        if answer.overruled:
            raise Overruled(
                "A gateway that started later has another table of transforms, which PocketBase"
                " uses. This gateway takes over when the other one ends."
            )
        if faults := find_faults(self._table, answer.collections):
            raise UnfitCollections(" ".join(faults))
        return ", ".join(find_absent(self._table, answer.collections))


def _describe_table(settings: Settings, table: Table) -> RegisterRequest:
    return RegisterRequest(
        url=settings.gateway_public_url + PATH,
        # PocketBase keeps the table of the gateway that started last.
        started=int(time.time() * 1000),
        superusers=settings.gateway_transform_superuser_writes,
        max_bytes=settings.gateway_max_transform_bytes,
        headers=",".join(settings.gateway_transform_headers),
        transforms=tuple(
            TransformEntry(
                collection=transform.collection,
                operation=operation,
                timeout=transform.timeout,
                on_failure=transform.on_failure,
                files=transform.files,
                request=transform.request,
            )
            for operation, transform in table
        ),
    )
