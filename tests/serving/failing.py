"""The gateway with a route that raises an unforeseen exception."""

from gateway import Gateway

app = Gateway()


@app.get("/broken")
async def fail() -> None:
    """Fail."""
    raise RuntimeError("unforeseen")
