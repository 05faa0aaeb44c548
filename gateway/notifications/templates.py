"""What a mail says: a text and an HTML template a kind, ours or a team's own of the same name.

The first line of a text template is the subject. HTML is escaped. What stands in `facts` can be
used by name, money and times through the filters `money` and `day`. `receipt.de.txt` is used for
payers whose language is German, `receipt.pt-BR.txt` for one region.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    select_autoescape,
)

from gateway.settings import Settings, SettingsError

_OURS = Path(__file__).parent / "templates"
#: Currencies without a smaller unit at Stripe, and those with three digits. Stripe counts ISK and
#: UGX in hundredths, although they have none: https://docs.stripe.com/currencies
_WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf"}
_WHOLE |= {"xof", "xpf"}
_THREE_DIGITS = {"bhd", "jod", "kwd", "omr", "tnd"}


@dataclass(frozen=True, slots=True)
class Text:
    """A mail's subject, its text, and the same as HTML."""

    subject: str
    text: str
    html: str


class Templates:
    """Renders kinds."""

    def __init__(self, own: Path | None) -> None:
        folders = [own, _OURS] if own else [_OURS]
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"money": show_money, "day": show_day}

    def check(self, kinds: Iterable[str]) -> None:
        """Read the templates of these kinds in all languages, so that a mistake shows at the start.

        Raises:
            SettingsError: one is no template; the sentence says which, and where.
        """
        wanted = set(kinds)
        for name in self._environment.list_templates(extensions=("txt", "html")):
            if name.partition(".")[0] not in wanted:
                continue
            try:
                self._environment.get_template(name)
            except TemplateError as error:
                line = getattr(error, "lineno", None)
                where = f"{name}, line {line}" if line else name
                raise SettingsError(f"GATEWAY_MAIL_TEMPLATES: {where}: {error}.") from error

    def render(self, kind: str, values: Mapping[str, Any], locale: str = "") -> Text:
        """Return the mail of a kind, in the payer's language where there is a template for it.

        Raises:
            TemplateError: a team's own template uses what is not there.
        """
        values = {"locale": locale, **values}
        plain = self._select(kind, "txt", locale).render(values)
        subject, _, text = plain.lstrip().partition("\n")
        html = self._select(kind, "html", locale).render({**values, "subject": subject})
        return Text(" ".join(subject.split()), text.strip() + "\n", html)

    def _select(self, kind: str, form: str, locale: str) -> Template:
        language = locale.partition("-")[0]
        tags = [f".{tag}" for tag in (locale, language) if tag]
        return self._environment.select_template([f"{kind}{tag}.{form}" for tag in (*tags, "")])


def open_templates(settings: Settings) -> Templates:
    """Return the templates of the settings.

    Raises:
        SettingsError: one that is needed is no template.
    """
    templates = Templates(settings.gateway_mail_templates)
    templates.check(settings.mail_kinds)
    return templates


def show_money(amount: object, currency: object) -> str:
    """``12.00 EUR`` from the smallest unit, "" from no amount."""
    if not isinstance(amount, int) or not isinstance(currency, str) or not currency:
        return ""
    currency = currency.lower()
    digits = 0 if currency in _WHOLE else 3 if currency in _THREE_DIGITS else 2
    sign, rest = ("-" if amount < 0 else ""), abs(amount)
    whole, part = divmod(rest, 10**digits)
    shown = f"{whole:,}" + (f".{part:0{digits}}" if digits else "")
    return f"{sign}{shown} {currency.upper()}"


def show_day(seconds: object) -> str:
    """``23 November 2026`` (UTC) from unix seconds, "" from anything else."""
    if not isinstance(seconds, int) or not seconds:
        return ""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{moment.day} {moment:%B %Y}"
