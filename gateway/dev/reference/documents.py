"""The generated documents, by path in the repository."""

import json

from gateway.app.application import Gateway
from gateway.dev.reference.api_page import write_api_page
from gateway.dev.reference.env_example import write_env_example
from gateway.dev.reference.sections import read_sections
from gateway.dev.reference.settings_page import write_settings_page


def write_documents() -> dict[str, str]:
    """Return each document's text by its path in the repository."""
    sections = read_sections()
    return {
        ".env.example": write_env_example(sections),
        "docs/reference.md": write_api_page(),
        "docs/settings.md": write_settings_page(sections),
        "docs/openapi.json": json.dumps(Gateway().openapi(), indent=2, ensure_ascii=False) + "\n",
    }
