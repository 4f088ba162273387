"""`docs/settings.md`: every setting, from the typed models."""

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from spx_assets.settings import Settings
from spx_assets_tests.documents.table import table


def page() -> str:
    parts = [
        "# Settings\n\n"
        "Made from `spx_assets/settings` by `make docs`. A setting is an environment variable, or a line of "
        "`$SPX_HOME/settings.env` or of `./.env`; the environment wins, then the home's file. Lists and mappings are JSON. A "
        "value that the platform cannot work with is refused with its name when a command starts.\n"
    ]
    single = list(_fields(Settings, "SPX_"))
    parts.append(f"## General\n\n{_table(row for row in single if not isinstance(row[1], list))}")
    for name, rows in ((row[0], row[1]) for row in single if isinstance(row[1], list)):
        parts.append(f"## {name}\n\n{_table(rows)}")
    return "\n".join(parts)


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    """(name, FieldInfo), and at the first level (group, its rows with all that lies below)."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            below = list(_below(kind, f"{prefix}{name.upper()}__"))
            yield name, below
        else:
            yield f"{prefix}{name.upper()}", field


def _below(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, inner in _fields(model, prefix):
        if isinstance(inner, list):
            yield from inner
        else:
            yield name, inner


def _table(rows: Any) -> str:
    return table(
        ("setting", "type", "default", "what it does"),
        [(f"`{name}`", _type(field.annotation), _default(field), field.description or "") for name, field in rows],
    )


def _type(kind: Any) -> str:
    if kind is type(None):
        return "none"
    origin, inner = get_origin(kind), get_args(kind)
    if origin is not None and str(origin) == "typing.Literal":
        return " or ".join(str(value) for value in inner)
    if origin is not None and origin.__name__ in ("Union", "UnionType"):
        return " or ".join(_type(part) for part in inner)
    if origin in (list, tuple, set, frozenset):
        return f"list of {_type(inner[0])}" if inner else "list"
    if origin is dict:
        return f"mapping of {_type(inner[0])} to {_type(inner[1])}"
    return {"str": "text", "bool": "true or false", "SecretStr": "secret", "Path": "path"}.get(
        getattr(kind, "__name__", str(kind)), getattr(kind, "__name__", str(kind))
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or (isinstance(value, SecretStr) and not value.get_secret_value()) or value == "":
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, BaseModel):
        return f"`{value.model_dump_json()}`"
    if isinstance(value, list | tuple | dict | set):
        return f"`{json.dumps(list(value) if not isinstance(value, dict) else value, default=str)}`"
    return f"`{value.value if isinstance(value, Enum) else value.as_posix() if isinstance(value, Path) else value}`"
