"""The file and line of a declaration in a team's code."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Source:
    """The file and the first line of a function, including its decorators."""

    file: str
    line: int

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self:
        """Return the source of a function; of a callable object, of its ``__call__``."""
        while isinstance(function, partial):
            function = function.func
        found = inspect.unwrap(function)
        code = getattr(found, "__code__", None)
        if code is None and callable(found):
            code = getattr(type(found).__call__, "__code__", None)
        return cls(code.co_filename, code.co_firstlineno) if code else cls("<unknown>", 0)

    def __str__(self) -> str:
        """Return ``shop/app.py:12``, relative to the working directory if possible."""
        path = Path(self.file)
        if path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        return f"{path}:{self.line}"
