"""Computes values from a post's text. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from html.parser import HTMLParser

import nh3

_MAX_SLUG_CHARACTERS = 80
_BLOCKS = {"p", "br", "li", "td", "th", "pre", "blockquote", "h2", "h3", "h4"}
#: The tags of PocketBase's editor; no scripts, styles, forms or frames.
_TAGS = {
    *(
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
    ),
    *("ins", "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SYNONYMS = {"js": "javascript", "py": "python", "golang": "go"}


def slugify(title: str) -> str:
    """Return a title as part of an address: `Über PocketBase!` becomes `uber-pocketbase`.

    A title without Latin letters and digits becomes `post`.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:_MAX_SLUG_CHARACTERS].strip("-") or "post"


def sanitize(html: str) -> str:
    """Return HTML that is safe to show: known tags and attributes, no scripts."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def normalize_tags(tags: Iterable[str]) -> list[str]:
    """Return unique tags in lower case with hyphens, synonyms replaced, in their first order."""
    words = (re.sub(r"[\s_-]+", "-", tag.strip().lower().lstrip("#")) for tag in tags)
    return list(dict.fromkeys(_SYNONYMS.get(word, word) for word in words if word))


def count_words(html: str) -> int:
    """Return the number of visible words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return len("".join(reader.seen).split())


class _Reader(HTMLParser):
    """Collects the text between tags; block tags separate words, inline tags don't."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.seen.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, [])

    def handle_data(self, data: str) -> None:
        self.seen.append(data)
