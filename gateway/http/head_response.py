"""Answers HEAD with the head of the answer to GET."""

from starlette.types import Message, Send


def omit_body(send: Send) -> Send:
    """Return a `send` that omits the body.

    The answer ends with its head, so that an endless response ends too: the server then reports a
    disconnection to it. Otherwise the next request on the connection would wait.
    """

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            return
        await send(message)
        if message["type"] == "http.response.start":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
