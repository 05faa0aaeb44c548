"""Types of response members for OpenAPI: a value, or "" for no value."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema


class ResponseModel(BaseModel):
    """A response; OpenAPI lists members with defaults as required, because they are always sent."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


Empty = Literal[""]
#: Not validated at run time: values of PocketBase and Stripe are passed on.
RecordId = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[a-z0-9]{15}$",
            "description": "The id of a PocketBase record.",
        }
    ),
]
Uri = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
#: PocketBase's date format.
DateTime = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+Z$"}),
]
Text = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
