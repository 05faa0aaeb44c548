"""The gateway behind a proxy that leaves the path as it is."""

from tests.transforms.sample_transforms import app

app.root_path = "/shop"
