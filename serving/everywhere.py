"""What any route may answer before it is reached: declared once in the OpenAPI document and named by every operation.

Belongs here: which problems those are, and on which operations. Does not: answering them (`connections`, `gate`), problems of
routes, which name their own (`problems.specs`).

Each status is one response among the document's components, and operations refer to it: 10 KB on top of 60, where declared whole
on each of 23 operations they would be 24.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, OpenAPI, OpenAPIMediaType, OpenAPIResponse, Reference

from serving.early_problems import (
    BodyTooLarge,
    ForeignHost,
    ForeignOrigin,
    HeadersTooLarge,
    KeysUnavailable,
    MalformedRequest,
    TooManyConnections,
    TooManyRequests,
    TooSlow,
    Unauthorized,
)
from serving.problems import MEDIA_TYPE, Problem
from serving.security import CHANGING, OPEN

ALWAYS = (MalformedRequest, TooSlow, ForeignHost, TooManyRequests, HeadersTooLarge, KeysUnavailable, TooManyConnections)
REFERENCE = "#/components/responses/"


def met(path: str, method: str, *, takes_body: bool) -> dict[str, tuple[str, ...]]:
    """Codes by status that an operation may be answered whatever it does."""
    problems: list[type[Problem]] = [*ALWAYS]
    if path not in OPEN:
        problems.append(Unauthorized)
    if method.upper() in CHANGING:
        problems.append(ForeignOrigin)
    if takes_body:
        problems.append(BodyTooLarge)
    return _by_status(problems)


def components(own: Components) -> Components:
    """`own` with one response for each of those statuses."""
    schema = Reference(ref="#/components/schemas/ProblemDocument")
    content = {MEDIA_TYPE: OpenAPIMediaType(schema=schema)}
    found = _by_status([*ALWAYS, Unauthorized, ForeignOrigin, BodyTooLarge])
    return replace(
        own,
        responses={
            _name(status): OpenAPIResponse(description=_described(codes), content=content) for status, codes in found.items()
        },
    )


class Config(OpenAPIConfig):
    """The framework's, whose document names them on every operation."""

    def to_openapi_schema(self) -> OpenAPI:
        return Document(**vars(super().to_openapi_schema()))


class Document(OpenAPI):
    """The document, in which operations name what any of them may answer; the framework puts the paths into it."""

    def to_schema(self) -> dict[str, Any]:
        made = super().to_schema()
        for path, item in made["paths"].items():
            for method, operation in item.items():
                answers = operation["responses"]
                for status, codes in met(path, method, takes_body="requestBody" in operation).items():
                    if own := answers.get(status):
                        own["description"] = _with(own["description"], codes)
                    else:
                        answers[status] = {"$ref": REFERENCE + _name(status)}
                operation["responses"] = dict(sorted(answers.items()))
        return made


def _by_status(problems: list[type[Problem]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for problem in problems:
        status = str(int(problem.status))
        found[status] = (*found.get(status, ()), problem.code)
    return found


def _name(status: str) -> str:
    return HTTPStatus(int(status)).phrase.title().replace(" ", "").replace("-", "")


def _described(codes: tuple[str, ...]) -> str:
    return f"code: {', '.join(codes)}"


def _with(description: str, codes: tuple[str, ...]) -> str:
    """What a route says of a status, with the codes that any route may answer with it."""
    named = description.removeprefix("code: ").split(", ")
    return ", ".join([description, *(code for code in codes if code not in named)])
