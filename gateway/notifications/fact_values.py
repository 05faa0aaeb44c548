"""Values of Stripe's as a mail may repeat them. Pure."""

#: Maximum length of foreign text in a mail.
_MAX_CHARACTERS = 200


def clean_fact(value: object) -> object:
    """Numbers as they are; texts on one line, and never long: a mail repeats them."""
    if isinstance(value, list):
        return [clean_fact(item) for item in value]
    if isinstance(value, bool):
        return value
    if not isinstance(value, int):
        return clean_line(value)
    return value if abs(value) < 10**15 else 0


def clean_line(value: object) -> str:
    """Return a text on one line, "" for anything else; a URL is kept as it is."""
    if not isinstance(value, str):
        return ""
    if value.startswith(("https://", "http://")) and value.isprintable() and " " not in value:
        return value
    words = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(words.split())[:_MAX_CHARACTERS]
