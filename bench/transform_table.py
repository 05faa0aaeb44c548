"""The app of ``bench.transforms``; the benchmark creates the collections after the start."""

from pydantic import BaseModel, ConfigDict

from gateway import Gateway, TransformContext
from shop import posts

app = Gateway()


class Anything(BaseModel):
    """Accepts any values."""

    model_config = ConfigDict(extra="allow")


@app.transform("bench_empty", on="create", may_come_later=True)
def change_nothing(incoming: Anything, context: TransformContext) -> None:
    """The empty transform."""


for _transform in posts.router.declarations.transforms:
    app.add_transform(_transform)
