"""A scenario as a value, and the table of all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.http import routes
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: The fields of a form, by name.
Fields = dict[str, str]
Act = Callable[[World, JSON, Fields], object]
Fits = Callable[[JSON], bool]

#: The kind of scenarios without an object.
ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One button."""

    name: str
    label: str
    #: `object` of the objects that it is for.
    kind: str
    #: Whether it is possible for an object now.
    fits: Fits
    act: Act
    #: The number that the form asks for: its label and default; None for no field.
    number: tuple[str, Callable[[JSON], int]] | None = None


_SCENARIOS: list[Scenario] = []


def scenario(
    kind: str,
    label: str,
    fits: Fits = lambda obj: True,
    number: tuple[str, Callable[[JSON], int]] | None = None,
) -> Callable[[Act], Act]:
    """Enter a function in the table; its name is the button's value."""

    def enter(act: Act) -> Act:
        _SCENARIOS.append(Scenario(act.__name__, label, kind, fits, act, number))
        return act

    return enter


def find_scenarios(kind: str, obj: JSON) -> list[Scenario]:
    """Return what is possible for an object now."""
    return [entry for entry in _SCENARIOS if entry.kind == kind and entry.fits(obj)]


def run_scenario(world: World, kind: str, obj: JSON, fields: Fields) -> None:
    """Run the scenario that a form names.

    Raises:
        StripeError: it is not possible for the object now, or Stripe refuses it.
    """
    name = fields.get("scenario", "")
    for entry in find_scenarios(kind, obj):
        if entry.name == name:
            entry.act(world, obj, fields)
            return
    raise invalid(f"{name or 'This'} is not possible now.", "scenario")


def call(world: World, method: str, path: str, params: JSON | None = None) -> Any:
    """Call an address of Stripe's API in this process."""
    return routes.find(method, path)(world, params or {})


def read_number(fields: Fields, name: str = "number") -> int:
    """Return a whole number of a form.

    Raises:
        StripeError: it is not a positive number.
    """
    text = fields.get(name, "").strip()
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise invalid(f"{text!r} is not a positive whole number.", name)
    return int(text)
