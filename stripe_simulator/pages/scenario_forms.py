"""The buttons of an object's scenarios."""

from html import escape

from stripe_simulator.pages.layout import button
from stripe_simulator.scenarios import Scenario, find_scenarios
from stripe_simulator.snapshots import JSON


def show_forms(kind: str, obj: JSON) -> str:
    """One form of all buttons, and one for each scenario that needs a number."""
    found = find_scenarios(kind, obj)
    plain = "".join(_button(each) for each in found if each.number is None)
    forms = f'<form method="post">{plain}</form>' if plain else ""
    return forms + "".join(_number_form(each, obj) for each in found if each.number)


def _button(scenario: Scenario) -> str:
    return button("scenario", scenario.name, scenario.label, plain=True)


def _number_form(scenario: Scenario, obj: JSON) -> str:
    if scenario.number is None:
        return ""
    label, default = scenario.number
    field = f'<input name="number" inputmode="numeric" value="{default(obj)}">'
    return f'<form method="post"><label>{escape(label)} {field}</label>{_button(scenario)}</form>'
