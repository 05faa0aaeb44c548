"""Registers effects at PocketBase, whose triggers store their work also while no gateway runs."""

import time
from collections.abc import Sequence

from gateway.effects.collection_check import find_faults
from gateway.effects.effect import Effect
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.effects import REGISTER_EFFECTS, EffectEntry, EffectsRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.pocketbase.kept_registration import KeptRegistration, Overruled, UnfitCollections
from gateway.vocabulary import INTERNAL_COLLECTIONS


class EffectRegistration(KeptRegistration):
    """Registers the effects of one app, and renews their lease."""

    def __init__(
        self, pocketbase: PocketBase, effects: Sequence[Effect], events: Sequence[EffectEntry] = ()
    ) -> None:
        """Register nothing yet.

        Args:
            pocketbase: where they are registered.
            effects: the app's effects.
            events: the handlers of domain events that PocketBase's triggers store.
        """
        self._pocketbase = pocketbase
        self._effects = effects
        self._internal = {pocketbase.collection_names.of(key) for key in INTERNAL_COLLECTIONS}
        entries = (*map(_describe, effects), *events)
        # The effects of the gateway that started last are in force.
        self._request = EffectsRequest(started=int(time.time() * 1000), effects=entries)
        super().__init__("effect")

    async def register(self) -> str:
        """Register the effects; return "", because their collections have to exist.

        Raises:
            Overruled: PocketBase uses the effects of another gateway.
            UnfitCollections: a collection does not match its effect.
            PocketBaseRefused: PocketBase refuses the request.
            PocketBaseUnavailable: PocketBase does not answer.
        """
        answer = await call_hook(self._pocketbase, REGISTER_EFFECTS, self._request)
        if answer.overruled:
            raise Overruled(
                "A gateway that started later has other effects, which PocketBase uses. This"
                " gateway takes over when the other one ends."
            )
        if faults := find_faults(self._effects, answer.collections, self._internal):
            raise UnfitCollections(" ".join(faults))
        return ""


def _describe(effect: Effect) -> EffectEntry:
    return EffectEntry(
        handler=effect.name,
        collection=effect.collection,
        operations=tuple(sorted(effect.operations)),
        fields=tuple(sorted(effect.fields)),
        tries=effect.tries,
        at_most_once=effect.at_most_once,
    )
