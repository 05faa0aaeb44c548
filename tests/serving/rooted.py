"""The gateway behind a proxy that leaves the path as it is."""

from gateway.app import create_app

app = create_app()
app.root_path = "/shop"
