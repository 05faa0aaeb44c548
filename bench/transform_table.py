"""The app with the transforms that ``bench.transforms`` measures; it makes its collection later."""

from pydantic import BaseModel, ConfigDict

from examples.posts import app as posts
from gateway import Gateway, TransformContext

app = Gateway()


class Anything(BaseModel):
    """Takes every value as it comes."""

    model_config = ConfigDict(extra="allow")


@app.transform("bench_empty", on="create", may_come_later=True)
def change_nothing(incoming: Anything, context: TransformContext) -> None:
    """The empty transform."""


for _transform in posts.app.declarations.transforms:
    app.add_transform(_transform)
