"""Templates: a team's own replace ours by name, and mistakes show at the start."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from gateway.email_address import clean_address
from gateway.notifications.kinds import NAMES
from gateway.notifications.mail import Mail, Mailbox, as_message, read_mailbox
from gateway.notifications.templates import Templates, show_day, show_money
from gateway.settings import SettingsError, read_settings

_APP = {"name": "Acme", "url": "https://acme.test", "sender": {"name": "", "address": "a@b.test"}}
_FACTS = {"amount": 1200, "currency": "eur", "number": "A-1", "link": "", "pdf": "", "lines": []}
_NEEDED = {
    "pocketbase_superuser_email": "root@shop.test",
    "pocketbase_superuser_password": "x",
    "stripe_secret_key": "sk_test_x",
    "stripe_webhook_secrets": "whsec_x",
    "gateway_frontend_origins": "https://shop.test",
}


def test_an_own_template_replaces_ours(tmp_path: Path) -> None:
    """A file of the same name is used, and the layout or the other form is still ours."""
    own = "Merci de {{ app.name }}\n\n{{ amount | money(currency) }}"
    (tmp_path / "receipt.txt").write_text(own)
    templates = Templates(tmp_path)
    templates.check(["receipt"])
    text = templates.render("receipt", {**_FACTS, "app": _APP})
    assert (text.subject, text.text) == ("Merci de Acme", "12.00 EUR\n")
    assert "We received <strong>12.00 EUR</strong>" in text.html
    assert "<title>Merci de Acme</title>" in text.html


def test_an_own_layout_is_everywhere(tmp_path: Path) -> None:
    """A layout of the team's own is around our bodies."""
    (tmp_path / "layout.html").write_text("<main>{% block body %}{% endblock %}</main>")
    assert Templates(tmp_path).render("refund", {**_FACTS, "app": _APP}).html.startswith("<main>")


def test_a_broken_template_is_named_at_the_start(tmp_path: Path) -> None:
    """The sentence says which file, and where in it."""
    (tmp_path / "refund.html").write_text("<p>\n{% if %}")
    Templates(tmp_path).check(["receipt"])
    with pytest.raises(SettingsError, match=r"refund\.html, line 2"):
        Templates(tmp_path).check(["refund"])


def test_what_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """A name that the kind has no fact for is refused, and never sent as an empty place."""
    (tmp_path / "refund.txt").write_text("Hi\n\n{{ nmae }}")
    with pytest.raises(UndefinedError, match="nmae"):
        Templates(tmp_path).render("refund", {**_FACTS, "app": _APP})


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1234567, "usd", "12,345.67 USD"),
        (5, "eur", "0.05 EUR"),
        (500, "jpy", "500 JPY"),
        (1500, "kwd", "1.500 KWD"),
        (500, "ugx", "5.00 UGX"),
        (-199, "usd", "-1.99 USD"),
        (None, "usd", ""),
        (100, None, ""),
        (1234500, "huf", "12,345.00 HUF"),
        (1250, "all", "12.50 ALL"),
        (123400, "isk", "1,234.00 ISK"),
        (1234, "xof", "1,234 XOF"),
        (999_999_999_999_999, "usd", "9,999,999,999,999.99 USD"),
    ],
)
def test_money_is_shown_as_the_currency_counts(
    amount: object, currency: object, shown: str
) -> None:
    """Amounts come in the smallest unit, of which a currency has none, a hundred or a thousand."""
    assert show_money(amount, currency) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        (1234567, "eur", "de", "12.345,67 €"),
        (1234567, "eur", "de-CH", "EUR 12'345.67"),
        (1234567, "usd", "fr-CA", "12 345,67 $ US"),
        (1234567, "brl", "pt-BR", "R$ 12.345,67"),
        (-5, "eur", "de-DE", "-0,05 €"),
        (500, "jpy", "ja", "￥500"),
        (1500, "kwd", "de", "1,500 KWD"),
        # Babel would round these, Stripe charges the hundredths.
        (123456, "huf", "de", "1.234,56 HUF"),
        (1250, "all", "de", "12,50 ALL"),
        (123450, "twd", "zh-TW", "$1,234.50"),
        # Stripe counts these in hundredths, and they have none.
        (123400, "isk", "is", "1.234 kr."),
        (50000, "ugx", "en-US", "UGX 500"),
        (1200, "eur", "xx", "12.00 EUR"),
        (1200, "eur", "de-XX", "12,00 €"),
        (1200, "eur", "../de", "12.00 EUR"),
        (None, "eur", "de", ""),
    ],
)
def test_money_is_shown_as_a_locale_writes_it(
    amount: object, currency: str, locale: str, shown: str
) -> None:
    """A template names the locale; the digits are Stripe's, and an unknown locale is English."""
    found = show_money(amount, currency, locale)
    assert found.replace("\xa0", " ").replace("\u202f", " ") in (shown, shown.replace(" ", ""))


def test_a_day_is_shown_as_a_locale_writes_it() -> None:
    """A template names the locale."""
    locales = ("", "en-US", "de-AT", "pt-BR", "ja", "xx")
    assert [show_day(1_800_000_000, locale) for locale in locales] == [
        "15 January 2027",
        "January 15, 2027",
        "15. Jänner 2027",
        "15 de janeiro de 2027",
        "2027年1月15日",
        "15 January 2027",
    ]


def test_a_template_follows_the_payers_locale(tmp_path: Path) -> None:
    """`locale` is the payer's; both filters take it."""
    own = "Hi\n\n{{ amount | money(currency, locale) }}, {{ 1800000000 | day(locale) }}"
    (tmp_path / "receipt.txt").write_text(own)
    values = {**_FACTS, "app": _APP}
    shown = [Templates(tmp_path).render("receipt", values, tag).text for tag in ("de", "")]
    assert shown == ["12,00\xa0€, 15. Januar 2027\n", "12.00 EUR, 15 January 2027\n"]


def test_a_day_is_shown_in_words() -> None:
    """Unix seconds become a day; anything else becomes nothing, and never 1970."""
    shown = [show_day(value) for value in (1_800_000_000, 0, None, "soon", 10**14)]
    assert shown == ["15 January 2027", "", "", "", ""]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" jo.doe+x@example.org ", "jo.doe+x@example.org"),
        ("jo@münchen.example", "jo@xn--mnchen-3ya.example"),
        ("jo@straße.example", "jo@xn--strae-oqa.example"),
        ("jo@shop.local", "jo@shop.local"),
        ("o'neill@shop.test", "o'neill@shop.test"),
        ("jo@example.org\n", "jo@example.org"),
        ("jö@example.org", ""),
        ("jo@localhost", ""),
        ("a@b@example.org", ""),
        ("a@b.test, c@d.test", ""),
        ("Jo <jo@example.org>", ""),
        ('"a b"@example.org', ""),
        ("jo@[127.0.0.1]", ""),
        ("jo@exam ple.org", ""),
        ("jo..doe@example.org", ""),
        ("jo@exa\r\nmple.org", ""),
        (f"{'x' * 65}@example.org", ""),
        ("", ""),
    ],
)
def test_an_address_is_one_address_or_none(text: str, address: str) -> None:
    """Only what a header can hold as one address passes."""
    assert clean_address(text) == address


def test_a_header_takes_no_second_line() -> None:
    """A line break in a subject is refused when the mail is made."""
    mail = Mail(Mailbox("Shop", "a@b.test"), "c@d.test", "Hi\nBcc: e@f.test", "", "", {})
    with pytest.raises(ValueError, match="linefeed"):
        as_message(mail)


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("gateway_email_notifications", "receipt,postcard", "GATEWAY_EMAIL_NOTIFICATIONS is wrong"),
        ("gateway_email_notifications", "dispute", "GATEWAY_NOTIFY_EMAIL is not set"),
        ("gateway_mail_sender", "The Shop", "GATEWAY_MAIL_SENDER is wrong"),
        ("gateway_mail_sender", "a@b.test\nBcc: c@d.test", "GATEWAY_MAIL_SENDER is wrong"),
        ("gateway_mail_sender", "Shop <billing@example..com>", "GATEWAY_MAIL_SENDER is wrong"),
        ("gateway_notify_email", "seller@localhost", "GATEWAY_NOTIFY_EMAIL is wrong"),
        ("gateway_notify_email", "seller@", "GATEWAY_NOTIFY_EMAIL is wrong"),
        ("gateway_mail_templates", "/no/such/folder", "GATEWAY_MAIL_TEMPLATES is wrong"),
        ("gateway_smtp_url", "mail.test", "GATEWAY_SMTP_URL is wrong"),
        ("gateway_smtp_url", "smtp://user:secret-word@mail.test", "unencrypted"),
        ("gateway_smtp_url", "smtps://user:secret-word@mail.test:port", "GATEWAY_SMTP_URL is"),
        ("gateway_smtp_url", "smtps://user:secret-word/@mail.test", "GATEWAY_SMTP_URL is"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, value: str, reason: str) -> None:
    """The gateway says which variable is wrong, and never what a secret is."""
    with pytest.raises(SettingsError, match=reason) as raised:
        read_settings(**_NEEDED, **{setting: value})
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Shop <billing@example.com>", "Shop", "billing@example.com"),
        ("Müller & Co. <post@müller.example>", "Müller & Co.", "post@xn--mller-kva.example"),
        ('"Acme, Inc." <a@b.test>', "Acme, Inc.", "a@b.test"),
        ("root@localhost", "", "root@localhost"),
        ("shop@corp.local", "", "shop@corp.local"),
    ],
)
def test_a_sender_is_read(text: str, name: str, address: str) -> None:
    """A name and an address, also of a local mail server; an international domain becomes ASCII."""
    assert read_settings(**_NEEDED, gateway_mail_sender=text).gateway_mail_sender == text
    assert read_mailbox(text) == Mailbox(name, address)


def test_what_is_the_sellers_comes_with_disputes() -> None:
    """The recipient of disputes also gets invoices that can't be finalized."""
    needed = _NEEDED | {"gateway_notify_email": "seller@shop.test"}
    kinds = [
        read_settings(**needed, gateway_email_notifications=kind).mail_kinds
        for kind in ("dispute", "refund")
    ]
    assert kinds == [{"dispute", "finalization_failed"}, {"refund"}]


def test_every_kind_has_both_templates() -> None:
    """Text and HTML of each kind are there."""
    Templates(None).check(NAMES)
