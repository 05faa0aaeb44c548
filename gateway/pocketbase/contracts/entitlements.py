"""The route that marks entitlements that have ended by time alone."""

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class LapseAnswer(Contract):
    """The number of entitlements that were marked."""

    changed: int


LAPSE = HookRoute("POST", "/api/gateway/entitlements/lapse", Empty, LapseAnswer)
