"""A real mail server on loopback, on the test's loop, that can be told to refuse or to stall."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from gateway.dev.ports import LOOPBACK


class MailServer:
    """Keeps what it is sent; `answers` replaces what it says to RCPT or DATA."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.mails: list[EmailMessage] = []
        #: The addresses of the envelopes, as many as there are mails.
        self.recipients: list[list[str]] = []
        self.answers: dict[str, str] = {}
        #: While it is not set, DATA gets no answer.
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        #: How many mails have arrived, answered or not.
        self.arrived = 0
        self._server: asyncio.Server | None = None

    @property
    def subjects(self) -> list[str]:
        """The subjects of all mails."""
        return [str(mail["Subject"]) for mail in self.mails]

    def read_bodies(self) -> tuple[str, str]:
        """Return the text and the HTML of the last mail, which has both."""
        text, html = (self.mails[-1].get_body((form,)) for form in ("plain", "html"))
        assert text
        assert html
        return text.get_content(), html.get_content()

    def read_text(self) -> str:
        """Return the text of the last mail on one line."""
        text, _ = self.read_bodies()
        return " ".join(text.split())

    async def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", loop=loop), LOOPBACK, self._port
        )

    def close(self) -> None:
        """Stop listening: connections are refused."""
        if self._server:
            self._server.close()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.may_answer.set()
        self.close()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take every recipient, unless told otherwise."""
        if answer := self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take every mail, unless told otherwise."""
        self.arrived += 1
        await self.may_answer.wait()
        if answer := self.answers.get("DATA"):
            return answer
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 Accepted"
