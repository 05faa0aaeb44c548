"""The frame of every page: plain HTML, no script, everything escaped."""

from datetime import UTC, datetime
from html import escape

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f6f8fa; color: #1a1f36; }
main { max-width: 42rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 8px;
       box-shadow: 0 1px 3px rgb(0 0 0 / 15%); overflow-wrap: anywhere; }
@media (max-width: 30rem) { main { margin: 0; padding: 1rem; } }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .4rem 0; text-align: left; border-bottom: 1px solid #e3e8ee; }
td:last-child, th:last-child { text-align: right; }
button { font: inherit; padding: .5rem 1rem; margin: .25rem .25rem .25rem 0; border: 0;
         border-radius: 6px; background: #635bff; color: #fff; cursor: pointer; }
button.plain { background: #e3e8ee; color: #1a1f36; }
input, select { font: inherit; padding: .3rem; margin: .2rem 0; }
label { display: block; margin: .5rem 0; }
form.inline { display: inline; }
pre, .wide { overflow-x: auto; } pre { font-size: .85rem; } nav a { margin-right: .75rem; }
.note { color: #c0123c; } .quiet { color: #697386; font-size: .9rem; }
"""


def page(title: str, body: str) -> str:
    """A whole page; `body` is HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}"
        '<p class="quiet">Simulated: no money moves.</p></main></body></html>'
    )


def money(amount: int | None, currency: str | None) -> str:
    """An amount in the smallest unit as people read it."""
    return f"{(amount or 0) / 100:,.2f} {(currency or '').upper()}".strip()


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of texts; everything is escaped."""
    titles = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{titles}</tr>{lines}</table></div>'


def table_of_html(head: list[str], rows: list[list[str]]) -> str:
    """A table; its cells are HTML already."""
    titles = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{titles}</tr>{lines}</table></div>'


def link(path: str, text: str) -> str:
    """A link."""
    return f'<a href="{escape(path)}">{escape(text)}</a>'


def date(when: int | None) -> str:
    """A date and time in UTC, "" for none."""
    return "" if when is None else datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M")


def button(name: str, value: str, text: str, plain: bool = False) -> str:
    """A button that sends one field."""
    kind = ' class="plain"' if plain else ""
    return f'<button{kind} name="{escape(name)}" value="{escape(value)}">{escape(text)}</button>'


def hidden(name: str, value: str) -> str:
    """A hidden field."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def note(text: str | None) -> str:
    """Something that went wrong."""
    return f'<p class="note" role="alert">{escape(text)}</p>' if text else ""
