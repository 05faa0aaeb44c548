"""Redirect addresses of a purchase: only those of an allowed origin. Pure."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.http.redirects import check_redirect

_ORIGINS = ("http://localhost:3000", "https://app.example.com")
# The address begins with the origin, letter by letter, and nothing that could belong to the host
# or the port follows it. Written without a URL parser, as a check on the one that is used.
_ON_ORIGIN = re.compile(
    r"(http://localhost:0*3000|https://app\.example\.com(:0*443)?:?)([/?#]\S*)?", re.IGNORECASE
)


def _is_allowed(url: str) -> bool:
    try:
        return check_redirect("success_url", url, _ORIGINS) == url
    except InvalidRequest:
        return False


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000",
        "http://localhost:3000/",
        "http://localhost:3000/thanks?session={CHECKOUT_SESSION_ID}#top",
        "http://localhost:3000?a=b",
        "http://localhost:3000#a",
        "http://localhost:3000/@evil.com",
        "http://localhost:3000//evil.com",
        "http://localhost:3000/?next=https://evil.com/",
        "HTTP://LOCALHOST:3000/THANKS",
        "https://app.example.com/a",
        "https://app.example.com:443/a",
        "https://APP.example.com/ü?ö=😀",
    ],
)
def test_an_address_on_an_allowed_origin_passes(url: str) -> None:
    """Path, query and fragment are free; letters of scheme and host may be of either case."""
    assert _is_allowed(url)


EVIL = [
    "",
    " ",
    "/thanks",
    "thanks",
    "//localhost:3000/thanks",
    "//evil",
    "///evil.com",
    "http:localhost:3000",
    "http:/localhost:3000",
    "http:///localhost:3000",
    "http://",
    "http://:3000",
    "https://localhost:3000",
    "http://app.example.com",
    "http://localhost",
    "http://localhost:3001",
    "http://localhost:30000",
    "http://localhost:3000.evil.com",
    "http://localhost:3000evil.com",
    "http://localhost:3000@evil.com",
    "http://localhost:3000:@evil.com",
    "http://localhost:3000%40evil.com",
    "http://user@localhost:3000",
    "http://user:word@localhost:3000",
    "http://@localhost:3000",
    "http://evil.com/http://localhost:3000",
    "http://evil.com?http://localhost:3000",
    "http://evil.com#http://localhost:3000",
    "http://evil.com\\@localhost:3000",
    "http://localhost:3000\\@evil.com",
    "http://localhost:3000\\.evil.com",
    "http:\\\\localhost:3000",
    "http://localhost:3000/\tx",
    "http://local\thost:3000",
    "http://localhost:3000\n.evil.com",
    "http://localhost:3000/\r\nLocation: http://evil.com",
    " http://localhost:3000",
    "http://localhost:3000 ",
    "\x00http://localhost:3000",
    "http://localhost:3000/\x7f",
    "javascript:alert(1)",
    "javascript://localhost:3000/%0aalert(1)",
    "JavaScript://localhost:3000/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file://localhost:3000/etc/passwd",
    "ftp://localhost:3000/",
    "ws://localhost:3000/",
    "blob:http://localhost:3000/1",
    "view-source:http://localhost:3000/",
    "https://app.example.com.evil.com",
    "https://evilapp.example.com",
    "https://sub.app.example.com",
    "https://app.example.com.",
    "https://app.example.com:80",
    "https://app.example.com:444",
    "https://app.example.com%2eevil.com",
    "https://app%2eexample%2ecom",
    "https://xn--pp-9ka.example.com",
    "https://\u0430pp.example.com",
    "https://\uff41pp.example.com",
    "https://app\u3002example\u3002com",
    "https://app.example.com\uff0fevil",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "http://[localhost]:3000",
    "http://[::1",
    "http://localhost:\u0663\u0660\u0660\u0660",
    "http://localhost:+3000",
    "http://localhost:-3000",
    "http://localhost:3000.0",
    "http://localhost:99999",
    "http://localhost:" + "9" * 5000,
    "http://" + "a" * 100_000,
]


@pytest.mark.parametrize("url", EVIL, ids=range(len(EVIL)))
def test_any_other_address_is_refused(url: str) -> None:
    """Other hosts, ports and schemes, and every known trick to look like an allowed one, fail."""
    with pytest.raises(InvalidRequest) as caught:
        check_redirect("cancel_url", url, _ORIGINS)
    assert caught.value.data["cancel_url"]["code"] == "redirect_not_allowed"


_PIECES = st.sampled_from(
    [
        *("http", "https", "javascript", ":", "/", "//", "\\", "@", "#", "?", "%40", "%2e", "."),
        *("localhost", "localhost:3000", ":3000", "app.example.com", "evil.com", "[", "]", "::1"),
        *("http://localhost:3000", "https://app.example.com", "\t", "\n", " ", "\x00", "\u3002"),
        *("\uff0f", "\u2044", "\u212a", "0", "443", ":443", "user:word@", "{CHECKOUT_SESSION_ID}"),
    ]
)


@settings(deadline=None)
@given(st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join))
@example("https://app.example.com:")
@example("http://localhost:03000")
def test_what_passes_begins_with_an_allowed_origin(url: str) -> None:
    """An address passes only if it literally starts with an allowed origin."""
    if _is_allowed(url):
        assert _ON_ORIGIN.fullmatch(url)


@given(st.sampled_from(_ORIGINS), st.text(st.characters(min_codepoint=33, exclude_characters="\\")))
def test_any_path_on_an_allowed_origin_passes(origin: str, path: str) -> None:
    """An address of an allowed origin passes with any printable path."""
    if not any(character == "\x7f" for character in path):
        assert _is_allowed(f"{origin}/{path}")
