"""`docs/api.md`: every route of the service, from its OpenAPI document."""

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from serving.app import create_app
from spx_assets.settings import Settings
from spx_assets_tests.documents.table import table

METHODS = ("get", "post", "put", "patch", "delete")


def page() -> str:
    with tempfile.TemporaryDirectory() as home:
        document = create_app(Settings(home=Path(home), _env_file=None)).openapi_schema.to_schema()  # type: ignore[call-arg]
    groups: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                groups[(operation.get("tags") or ["service"])[0]].append(_route(path, method, operation, document))
    parts = [
        "# The service's routes\n\n"
        "Made from the OpenAPI document by `make docs`; the running service shows it at `/docs`, offline. Errors are problem "
        "documents (RFC 9457, `application/problem+json`) with a stable `code`.\n\n"
        "Any call may be answered one of these before its route is reached: 413 where it has a body, 403 where it changes "
        "something or is posted, 401 but for `/health/live` and `/health/ready`. Below, routes name what is their own.\n",
        _shared(document),
    ]
    parts += [f"## {tag}\n\n" + "\n".join(routes) for tag, routes in groups.items()]
    return "\n".join(parts)


def _route(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    words = [f"### {method.upper()} {path}\n", f"{operation.get('summary', '')}.\n"]
    if operation.get("description"):
        words.append(operation["description"].strip() + "\n")
    fields = [_field(p["name"], p["in"], p.get("required"), p) for p in operation.get("parameters", [])]
    fields += _body(operation, document)
    if fields:
        words.append(table(("field", "in", "required", "meaning"), fields))
    own = [(status, answer) for status, answer in sorted(operation["responses"].items()) if "$ref" not in answer]
    answers = [(status, answer.get("description", "")) for status, answer in own]
    words.append(table(("status", "answer"), answers))
    return "\n".join(words)


def _shared(document: dict[str, Any]) -> str:
    """What operations only refer to."""
    answers = [
        (status, document["components"]["responses"][answer["$ref"].rpartition("/")[2]]["description"])
        for item in document["paths"].values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    ]
    return table(("status", "answer"), sorted(set(answers)))


def _field(name: str, where: str, required: object, told: dict[str, Any]) -> tuple[str, str, str, str]:
    return f"`{name}`", where, "yes" if required else "", told.get("description", "")


def _body(operation: dict[str, Any], document: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Fields of a JSON body, where it is one object."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = _seen(schema, document)
    required = schema.get("required", [])
    properties = schema.get("properties", {})
    return [_field(name, "body", name in required, {**_seen(field, document), **field}) for name, field in properties.items()]


def _seen(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        schema = found
    return schema
