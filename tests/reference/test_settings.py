"""Settings are described once, in the code, and the documents about them follow from it."""

import re

import pytest
from pydantic import BaseModel

from gateway.dev.compose_settings import ComposeSettings
from gateway.dev.pocketbase import ROOT
from gateway.dev.reference.sections import read_sections
from gateway.dev.settings import StackSettings
from gateway.hook_settings import HookSettings
from gateway.settings import Settings

_KINDS = (Settings, HookSettings, StackSettings, ComposeSettings)
_NAMES = [name.upper() for kind in _KINDS for name in kind.model_fields]
_EXAMPLE = (ROOT / ".env.example").read_text()
_POLICY = (ROOT / "pb_hooks" / "lib" / "hook_settings.js").read_text()


@pytest.mark.parametrize("kind", _KINDS)
def test_every_setting_describes_itself(kind: type[BaseModel]) -> None:
    """The JSON schema of the settings has a description for each."""
    for name, schema in kind.model_json_schema()["properties"].items():
        assert schema.get("description"), f"{name} needs a docstring below it"


def test_the_documents_list_every_setting_once() -> None:
    """Neither .env.example nor the settings page leaves a setting out, or repeats one."""
    assert sorted(re.findall(r"^(\w+)=$", _EXAMPLE, re.MULTILINE)) == sorted(_NAMES)
    page = (ROOT / "docs" / "settings.md").read_text()
    assert sorted(re.findall(r"^### `(\w+)`$", page, re.MULTILINE)) == sorted(_NAMES)


def test_the_settings_that_compose_needs_are_marked() -> None:
    """compose.yaml requires exactly the settings without a default."""
    compose = (ROOT / "compose.yaml").read_text()
    marked = {
        setting.name
        for section in read_sections()
        for setting in section.settings
        if setting.is_required
    }
    assert set(re.findall(r"\$\{(\w+):\?", compose)) == marked
    assert _EXAMPLE.count("# (compose) ") == len(marked)


def test_compose_passes_every_setting_on() -> None:
    """A setting in .env has an effect under compose too."""
    compose = (ROOT / "compose.yaml").read_text()
    passed = set(re.findall(r"^ +([A-Z_]+):", compose, re.MULTILINE))
    read = {name.upper() for kind in (Settings, HookSettings) for name in kind.model_fields}
    assert read <= passed


@pytest.mark.parametrize("field", HookSettings.model_fields)
def test_the_defaults_of_the_hooks_are_those_that_are_described(field: str) -> None:
    """The hooks and their description agree on what an unset variable means."""
    default = HookSettings.model_fields[field].default
    name = field.upper()
    assert re.search(rf'{name}(: {default}|"\) \|\| "{default}"),?$', _POLICY, re.MULTILINE)
