"""Text from outside, as JSON can have it."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def _replace_surrogates(value: Any) -> Any:
    """Half a character, as an escape in JSON or an undecodable file name has it, becomes ``?``."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


#: Text that others wrote: error messages, names.
FreeText = Annotated[str, BeforeValidator(_replace_surrogates)]
