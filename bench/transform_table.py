"""The transforms that ``bench.transforms`` measures, as ``GATEWAY_TRANSFORMS`` names them."""

from pydantic import BaseModel, ConfigDict

from examples.posts import transforms as posts
from gateway.records import Context, Transform


class Anything(BaseModel):
    """Takes every value as it comes."""

    model_config = ConfigDict(extra="allow")


def change_nothing(incoming: Anything, context: Context) -> None:
    """The empty transform."""


TRANSFORMS = (
    Transform(
        collection="bench_empty",
        operations={"create"},
        model=Anything,
        function=change_nothing,
    ),
    *posts.TRANSFORMS,
)
