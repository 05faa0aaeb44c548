"""Writes .env.example: each setting with its description, left empty."""

import textwrap
from itertools import groupby

from gateway.dev.reference.sections import Section
from gateway.dev.reference.setting import Setting

_WIDTH = 98
_HEAD = """\
# Settings of `make run` and of compose.yaml. Copy to .env, which git ignores, and fill in.
# `make run` needs none of them: without Stripe keys it starts the Stripe simulator and makes its
# own secrets. compose.yaml needs those marked with (compose). An environment variable of the
# same name wins over this file. Lists are comma-separated. Written by `make docs` from the
# docstrings of the settings.
"""


def write_env_example(sections: tuple[Section, ...]) -> str:
    """Return the file's text."""
    return "\n".join([_HEAD, *map(_write_section, sections)]).rstrip() + "\n"


def _write_section(section: Section) -> str:
    rule = f"# --- {section.title} "
    parts = [rule.ljust(_WIDTH, "-") + "\n"]
    if section.text:
        parts.append(_comment(section.text))
    parts += [f"{_comment(_describe(each))}{each.name}=\n" for each in section.settings]
    return "\n".join(parts)


def _describe(setting: Setting) -> str:
    mark = "(compose) " if setting.is_required else ""
    notes = []
    if not all(choice in setting.text for choice in setting.choices):
        notes.append(f"Values: {', '.join(setting.choices)}.")
    if setting.default:
        notes.append(f"By default {setting.default}.")
    # Behind a text of several parts, a sentence would be read as the last one's.
    end = "\n\n" if "\n\n" in setting.text else " "
    return f"{mark}{setting.text}{end}{' '.join(notes)}".strip()


def _comment(text: str) -> str:
    """Wrap the paragraphs; code, which is indented, stays as it is."""
    lines: list[str] = []
    for is_code, group in groupby(text.splitlines(), lambda line: line.startswith("    ")):
        if is_code:
            lines += group
            continue
        for paragraph in "\n".join(group).strip().split("\n\n"):
            lines += textwrap.wrap(paragraph, _WIDTH - 2, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines if line.strip())
