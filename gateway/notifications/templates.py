"""Mail templates: a text and an HTML template per kind, built-in or a team's own.

The first line of a text template is the subject. HTML is escaped. Templates use the members of
`facts` by name, and the filters `money` and `day`. `receipt.de.txt` is used for payers with the
language German, `receipt.pt-BR.txt` for one region.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency
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
#: Currencies that Stripe counts in whole units or thousandths; all others it counts in hundredths,
#: also those that have none: https://docs.stripe.com/currencies#zero-decimal
_ZERO_DECIMAL = {
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "JPY",
    "KMF",
    "KRW",
    "MGA",
    "PYG",
    "RWF",
    "VND",
    "VUV",
    "XAF",
}
_ZERO_DECIMAL |= {"XOF", "XPF"}
_THREE_DECIMAL = {"BHD", "JOD", "KWD", "OMR", "TND"}
#: Stripe counts them in hundredths, but accepts only whole units.
_WHOLE_UNITS_ONLY = {"ISK", "UGX"}
#: English, with the currency's code: "$" alone could be several.
_ENGLISH = Locale("en", "GB")
_PATTERNS = {0: "#,##0 ¤¤", 2: "#,##0.00 ¤¤", 3: "#,##0.000 ¤¤"}


@dataclass(frozen=True, slots=True)
class Text:
    """A mail's subject, text and HTML."""

    subject: str
    text: str
    html: str


class Templates:
    """Renders the mails of all kinds."""

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
        """Parse the templates of these kinds in all languages, to detect errors at the start.

        Raises:
            SettingsError: a template is not valid; the message names file and line.
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
        """Return the mail of a kind, in the payer's language if there is a template for it.

        Raises:
            TemplateError: a team's own template uses an undefined variable.
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
        SettingsError: a needed template is not valid.
    """
    templates = Templates(settings.gateway_mail_templates)
    templates.check(settings.mail_kinds)
    return templates


def show_money(amount: object, currency: object, locale: object = "") -> str:
    """Format an amount: ``12.00 EUR``, or in the format of a locale; "" without an amount.

    Args:
        amount: in the currency's smallest unit at Stripe.
        locale: a language tag such as ``de`` or ``pt-BR``.
    """
    if not isinstance(amount, int) or not isinstance(currency, str) or not currency:
        return ""
    code = currency.upper()
    digits = 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMAL else 2
    value = Decimal(amount).scaleb(-digits)
    known = _find_locale(locale)
    if known is None:
        return format_currency(value, code, _PATTERNS[digits], _ENGLISH, currency_digits=False)
    # Babel shows some currencies that Stripe charges in hundredths, such as HUF, rounded.
    is_usual = digits != 2 or (code in _WHOLE_UNITS_ONLY and amount % 100 == 0)
    return format_currency(value, code, locale=known, currency_digits=is_usual)


def show_day(seconds: object, locale: object = "") -> str:
    """Format unix seconds as a day in UTC: ``23 November 2026``; "" from anything else."""
    if not isinstance(seconds, int) or not seconds:
        return ""
    try:
        day = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return format_date(day, "long", _find_locale(locale) or _ENGLISH)


def _find_locale(tag: object) -> Locale | None:
    """Return the locale of a language tag, or of its language alone."""
    for known in (str(tag), str(tag).partition("-")[0]):
        with suppress(ValueError, UnknownLocaleError):
            return Locale.parse(known, sep="-")
    return None
