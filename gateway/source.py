"""The place in a team's code where something is declared."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Source:
    """A file and the line at which a function, with its decorators, begins."""

    file: str
    line: int

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self:
        """Return where a function is written; of a callable object, where its class is."""
        while isinstance(function, partial):
            function = function.func
        found = inspect.unwrap(function)
        code = getattr(found, "__code__", None)
        if code is None and callable(found):
            code = getattr(type(found).__call__, "__code__", None)
        return cls(code.co_filename, code.co_firstlineno) if code else cls("<unknown>", 0)

    def __str__(self) -> str:
        """``shop/app.py:12``, relative to the working directory where possible."""
        path = Path(self.file)
        if path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        return f"{path}:{self.line}"
