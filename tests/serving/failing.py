"""The gateway with a route that fails in a way that nobody foresaw."""

from gateway.app import create_app

app = create_app()


@app.get("/broken")
async def fail() -> None:
    """Fail."""
    raise RuntimeError("unforeseen")
