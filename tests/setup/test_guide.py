"""docs/guides/go-live.md has eight steps, and the permissions of the code."""

import re

from gateway.cli import main
from gateway.dev.pocketbase import ROOT
from gateway.setup.permissions import PERMISSIONS, build_key_url

_TEMPLATE = ROOT / "gateway" / "scaffold" / "template" / "README.md"
_PAGE = (ROOT / "docs" / "guides" / "go-live.md").read_text()


def test_a_deployment_takes_eight_steps() -> None:
    """From the clone to live."""
    steps = re.findall(r"^(\d+)\. ", _PAGE, re.MULTILINE)
    assert steps == [str(number) for number in range(1, 9)]


def test_a_new_project_describes_its_deployment() -> None:
    """The README of `gateway new` names init and doctor, with options that exist."""
    text = _TEMPLATE.read_text()
    found = re.findall(r"^(?:gateway|docker .* -m gateway) (\w+)(.*?)\s+#", text, re.MULTILINE)
    assert [name for name, _ in found if name != "dev"] == ["init", "init", "doctor"]
    for name, arguments in found:
        options = {option for each in main.commands[name].params for option in each.opts}
        assert {*re.findall(r"--[\w-]+", arguments)} <= options


def test_the_page_lists_the_permissions() -> None:
    """In the table, and selected in Stripe's form."""
    rows = re.findall(r"^\| ([^|]+) \| (Read|Write) \| (.+) \|$", _PAGE, re.MULTILINE)
    optional = {True: "; optional", False: ""}
    assert rows == [
        (each.resource, each.access, each.purpose + optional[each.is_optional])
        for each in PERMISSIONS
    ]
    assert f"[key]: {build_key_url('live')}\n" in _PAGE
