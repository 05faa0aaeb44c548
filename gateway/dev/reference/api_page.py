"""Writes docs/reference.md: every public name, from signatures and docstrings."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, get_origin

from gateway.dev.reference.api_sections import read_api

_HEAD = """\
# Reference

Every public name of `gateway` and `gateway.testing`; other names may change in any release. `make
docs` generates this page from the docstrings. [Extending a project](extending/README.md) shows the
names in use.
"""
_PARTS = ("Args", "Returns", "Raises", "Yields")
_ITEM = re.compile(r"^(\w[\w. ]*)(?:: |$)")
_COMMENTED = re.compile(r"((?:^ *#:.*\n)+)^ *(\w+)(?:: [^\n]*| = [^\n]*)$", re.MULTILINE)
#: Methods of Starlette's and FastAPI's protocols, and of the gateway's own modules.
_INTERNAL = ("build_middleware_stack", "collect_declarations", "configuration", "settings_class")


def write_api_page() -> str:
    """Return the page in Markdown."""
    parts, seen = [_HEAD], set[int]()
    for title, names in read_api().items():
        parts.append(f"## {title}\n")
        parts += [text for name, each in names.items() for text in _describe(name, each, seen)]
    return "\n".join(parts)


def _describe(name: str, found: Any, seen: set[int]) -> Iterator[str]:
    """Yield the parts of one name.

    Args:
        seen: the methods that are described already, of a class above.
    """
    if get_origin(found) is Annotated:
        yield from _describe_dependency(name, found)
    elif inspect.isclass(found):
        yield from _describe_class(name, found, seen)
    elif inspect.isfunction(found):
        yield f"### `{_sign(name, found)}`\n\n{_format(found.__doc__ or '')}\n"
    else:
        yield f"### `{name}`\n\n{_describe_value(name, found)}\n"


def _describe_dependency(name: str, found: Any) -> Iterator[str]:
    """Describe an annotation by the function that provides its value."""
    metadata = found.__metadata__[0]
    kind = getattr(found.__origin__, "__name__", str(found.__origin__))
    provider = getattr(metadata, "dependency", None)
    text = _format(inspect.getdoc(provider) or "") if provider else str(metadata)
    yield f"### `{name}`\n\nAn annotation of parameters; the value is `{kind}`.\n\n{text}\n"


def _describe_value(name: str, found: Any) -> str:
    if name == "__version__":
        return "The package's version, such as `0.1.0`."
    if found == dict[str, Any]:
        return "A decoded JSON object: `dict[str, Any]`."
    fixture = getattr(found, "__wrapped__", None) or getattr(found, "_fixture_function", None)
    if fixture:
        return f"A fixture. {_format(inspect.getdoc(fixture) or '')}"
    return _read_comment(name) or f"`{found!r}`"


def _read_comment(name: str) -> str:
    """Return the ``#:`` comment above a constant of `gateway`."""
    import gateway

    module = sys.modules[gateway._MODULES[name].partition(":")[0]]
    return _read_comments(inspect.getsource(module)).get(name, "")


def _read_comments(source: str) -> dict[str, str]:
    return {
        name: " ".join(line.strip().removeprefix("#:").strip() for line in text.splitlines())
        for text, name in _COMMENTED.findall(source)
    }


def _describe_class(name: str, found: type, seen: set[int]) -> Iterator[str]:
    is_raised_by_us = issubclass(found, BaseException) and "__init__" not in vars(found)
    is_made_for_you = is_raised_by_us or "__call__" in vars(found)
    title = name if is_made_for_you else _sign(name, found)
    bases = [each.__name__ for each in found.__bases__ if each.__module__.startswith("gateway.")]
    base = f"A `{bases[0]}`. " if bases and issubclass(found, BaseException) else ""
    yield f"### `{title}`\n\n{base}{_format(inspect.getdoc(found) or '')}\n"
    if issubclass(found, BaseException) and not is_raised_by_us:
        yield from _describe_arguments(found)
    if fields := _list_fields(found):
        yield "\n".join(fields) + "\n"
    for member, function in _find_methods(found):
        if id(function) not in seen:
            seen.add(id(function))
            heading = _sign(f"{name}.{member}", function)
            yield f"#### `{heading}`\n\n{_format(inspect.getdoc(function) or '')}\n"


def _describe_arguments(found: type) -> Iterator[str]:
    """Yield the arguments and errors of a constructor."""
    _, _, rest = inspect.cleandoc(vars(found)["__init__"].__doc__ or "").partition("\n\n")
    if rest:
        yield f"{_format(rest)}\n"


def _list_fields(found: type) -> list[str]:
    """Return the attributes of a dataclass, with their comments."""
    names = getattr(found, "__dataclass_fields__", {})
    comments = _read_comments(inspect.getsource(found)) if names else {}
    return [
        f"- `{name}`" + (f": {_write_inline(comments[name])}" if name in comments else "")
        for name in names
        if not name.startswith("_")
    ]


def _find_methods(found: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that the gateway defines."""
    for owner in found.__mro__:
        if not owner.__module__.startswith("gateway."):
            continue
        for name, member in vars(owner).items():
            if _is_public(name, member):
                function = member.__func__ if isinstance(member, classmethod) else member
                if inspect.isfunction(function) or isinstance(function, property):
                    yield name, function


def _is_public(name: str, member: Any) -> bool:
    if name == "__call__":
        # Not ASGI's.
        return "scope" not in inspect.signature(member).parameters
    return not name.startswith("_") and name not in _INTERNAL


def _sign(name: str, function: Any) -> str:
    if isinstance(function, property):
        return name
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return name
    parameters = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in signature.parameters.values()
        if each.name not in ("self", "cls")
    ]
    shown = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    prefix = "await " if inspect.iscoroutinefunction(function) else ""
    return prefix + name.removesuffix(".__call__") + re.sub(r"<[^>]*>", "…", shown)


def _format(docstring: str) -> str:
    """Return a docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    part = ""
    for line in inspect.cleandoc(docstring).splitlines():
        if line.rstrip(":") in _PARTS and line.endswith(":"):
            part = line.rstrip(":")
            lines += [f"*{part}*", ""] if part != "Args" else ["*Arguments*", ""]
        elif part and line.startswith("    ") and not line.startswith("     "):
            lines.append(_format_item(line.strip()))
        elif part and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        else:
            part = "" if line and not line.startswith(" ") else part
            lines.append(line)
    return _write_inline("\n".join(lines)).strip()


def _format_item(line: str) -> str:
    found = _ITEM.match(line)
    if not found:
        return f"- {line}"
    rest = line[found.end() :]
    return f"- `{found[1]}`: {rest}" if rest else f"- `{found[1]}`"


def _write_inline(text: str) -> str:
    return textwrap.dedent(text.replace("``", "`"))
