"""Numbers, sizes and durations in words."""


def format_bytes(size: float) -> str:
    """Return a size such as ``1.5 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def format_seconds(seconds: float) -> str:
    """Return a duration such as ``3 h``."""
    for unit, length in (("s", 60.0), ("min", 60.0), ("h", 48.0)):
        if seconds < length:
            return f"{seconds:.0f} {unit}"
        seconds /= 24.0 if unit == "h" else 60.0
    return f"{seconds:.0f} days"


def format_number(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 event``, ``2 events``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
