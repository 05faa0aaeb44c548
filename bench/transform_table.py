"""The app of ``bench.transforms``; the benchmark creates the collections after the start."""

from pydantic import BaseModel, ConfigDict

from examples.posts import app as posts
from gateway import Gateway, TransformContext

app = Gateway()


class Anything(BaseModel):
    """Accepts any values."""

    model_config = ConfigDict(extra="allow")


@app.transform("bench_empty", on="create", may_come_later=True)
def change_nothing(incoming: Anything, context: TransformContext) -> None:
    """The empty transform."""


for _transform in posts.app.declarations.transforms:
    app.add_transform(_transform)
