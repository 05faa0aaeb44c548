"""Values that the example computes from a post's words, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.text import count_words, normalize_tags, sanitize, slugify


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Über  PocketBase!", "uber-pocketbase"),
        ("  Déjà vu: 2 Ångström ", "deja-vu-2-angstrom"),
        ("日本語", "post"),
        ("a" * 79 + " b", "a" * 79),
        ("../../etc", "etc"),
    ],
)
def test_a_title_becomes_part_of_an_address(title: str, slug: str) -> None:
    """Accents are folded, everything else but letters and digits parts words, the end is clean."""
    assert slugify(title) == slug


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
        ("<script>alert(1)</script>ok", "ok"),
        ("<img src=x onerror=alert(1)>", '<img src="x">'),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ("<p style='position:fixed'>x</p>", "<p>x</p>"),
        ("<iframe src='//evil.example'></iframe>", ""),
        ("<svg><script>1</script></svg>", ""),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_html_is_made_safe(html: str, safe: str) -> None:
    """Markup of the editor stays; markup that could act in a reader's browser is removed."""
    assert sanitize(html) == safe


@given(st.text())
def test_what_is_safe_stays_as_it_is(html: str) -> None:
    """Saving a post again changes nothing: sanitizing twice is sanitizing once."""
    once = sanitize(html)
    assert sanitize(once) == once


def test_tags_have_one_form() -> None:
    """Case, blanks, hashes, synonyms and repetitions make no second tag; the order stays."""
    tags = [" Python", "#PY", "Product  news", "product_news", "", "JS"]
    assert normalize_tags(tags) == ["python", "product-news", "javascript"]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("", 0),
        ("<p>one</p><p>two</p>", 2),
        ("o<b>n</b>e&nbsp;two&amp;", 2),
        ("one<br>two<!-- three -->", 2),
        ("<p>\n </p>", 0),
    ],
)
def test_words_are_those_a_reader_sees(html: str, words: int) -> None:
    """Tags and comments don't count as words; blocks part words, inline tags don't."""
    assert count_words(html) == words
