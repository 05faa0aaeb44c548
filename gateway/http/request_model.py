"""The base of request bodies."""

from pydantic import BaseModel, ConfigDict


class RequestModel(BaseModel):
    """A request body; unknown members and converted types are refused.

    A misspelled member is therefore noticed, and a client can't send what the server decides, such
    as an amount.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
