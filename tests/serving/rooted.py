"""The gateway behind a proxy that leaves the path as it is."""

from tests.records.shelf import app

app.root_path = "/shop"
