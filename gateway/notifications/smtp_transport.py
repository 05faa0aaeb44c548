"""Sends mails through an SMTP server (GATEWAY_SMTP_URL)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from gateway.notifications.mail import DeliveryResult, Mail, Outcome, as_message
from gateway.notifications.smtp_outcome import classify_reply

_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """An SMTP server; one connection per mail, because mails are few."""

    host: str
    port: int
    scheme: str
    username: str | None
    password: str | None
    #: Seconds for connecting, and for sending.
    timeout: float

    @classmethod
    def of(cls, url: str, timeout: float) -> Self:
        """Return the transport of ``smtps://user:password@host:port``."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            scheme=parts.scheme,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            timeout=timeout,
        )

    async def send(self, mail: Mail) -> DeliveryResult:
        """Send one mail."""
        client = SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.scheme == "smtps",
            start_tls=self.scheme == "smtp+starttls",
            timeout=self.timeout,
        )
        try:
            return await self._send(client, mail)
        finally:
            client.close()

    async def _send(self, client: SMTP, mail: Mail) -> DeliveryResult:
        try:
            async with asyncio.timeout(self.timeout):
                await client.connect()
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            return DeliveryResult("later", _format_refusal(error))
        try:
            async with asyncio.timeout(self.timeout):
                await client.send_message(as_message(mail))
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            return DeliveryResult(_classify(error), _format_refusal(error))
        with suppress(SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(self.timeout):
                await client.quit()
        return DeliveryResult("sent")


def _classify(error: Exception) -> Outcome:
    """Return the outcome by the server's response; without one it may have accepted the mail."""
    if isinstance(error, SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, SMTPNotSupported):
        return "refused"
    if isinstance(error, SMTPResponseException):
        return classify_reply(error.code)
    return "refused" if isinstance(error, ValueError) else "unknown"


def _format_refusal(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
