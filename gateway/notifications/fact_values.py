"""Sanitizes Stripe's values for mails. Pure."""

#: Maximum length of a text from Stripe in a mail.
_MAX_CHARACTERS = 200


def clean_fact(value: object) -> object:
    """Return numbers unchanged (0 if absurdly large), texts on one line and truncated."""
    if isinstance(value, list):
        return [clean_fact(item) for item in value]
    if isinstance(value, bool):
        return value
    if not isinstance(value, int):
        return clean_line(value)
    return value if abs(value) < 10**15 else 0


def clean_line(value: object) -> str:
    """Return a text on one line, "" for anything else; URLs are unchanged."""
    if not isinstance(value, str):
        return ""
    if value.startswith(("https://", "http://")) and value.isprintable() and " " not in value:
        return value
    words = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(words.split())[:_MAX_CHARACTERS]
