"""Writes docs/settings.md: every setting with its values, default and reader."""

import re
import textwrap

from gateway.dev.reference.sections import Section
from gateway.dev.reference.setting import Setting

#: A document's path in a docstring.
_DOCUMENT = re.compile(r"\bdocs/([\w/-]+\.md)")
_HEAD = """\
# Settings

Environment variables of the gateway, of PocketBase's hooks, of `compose.yaml` and of `make run`,
which also read `.env`. An empty variable counts as not set. The gateway does not start if a
setting is missing, not valid or misspelt, and names it. `make docs` generates this page and
[.env.example](../.env.example) from the docstrings of the settings:
[the gateway's](../gateway/settings.py), [the hooks'](../gateway/hook_settings.py),
[those of `make run`](../gateway/dev/settings.py) and
[of `compose.yaml`](../gateway/dev/compose_settings.py).
"""


def write_settings_page(sections: tuple[Section, ...]) -> str:
    """Return the page in Markdown."""
    page = "\n".join([_HEAD, *map(_write_section, sections)])
    return _DOCUMENT.sub(r"[\g<0>](\1)", page)


def _write_section(section: Section) -> str:
    text = [f"{textwrap.fill(section.text, 100)}\n"] if section.text else []
    parts = [f"## {section.title}\n", *text, *map(_write_setting, section.settings)]
    return "\n".join(parts)


def _write_setting(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "empty"
    facts = (
        f"- Values: {setting.values}",
        "- Required" if setting.is_required else f"- Default: {default}",
        f"- Read by: {setting.reader}",
    )
    return f"### `{setting.name}`\n\n{setting.text}\n\n" + "\n".join(facts) + "\n"
