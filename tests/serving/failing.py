"""The gateway with a route that fails in a way that nobody foresaw."""

from gateway import Gateway

app = Gateway()


@app.get("/broken")
async def fail() -> None:
    """Fail."""
    raise RuntimeError("unforeseen")
