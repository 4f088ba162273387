"""Request bodies, read strictly.

Belongs here: from bytes to a request struct or a 400. Does not: what a request may hold (`contracts`).

The framework converts leniently ("30" is taken for 30) and lets a deeply nested document end in a RecursionError; a
forecast made from a mistyped request would be a wrong answer with status 200.
"""

from typing import TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import MsgspecDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from serving.problems import BadRequest

T = TypeVar("T", bound=msgspec.Struct)


def read(body: bytes | bytearray, decoder: msgspec.json.Decoder[T]) -> T:
    """The struct that a body is, or `BadRequest`."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not a valid request: {error}") from error
    except RecursionError:
        raise BadRequest("the body is nested too deeply to be a request") from None


class StrictBody(MsgspecDTO[T]):
    """A JSON body that must be the struct exactly: no unknown field, no conversion between types."""

    def decode_bytes(self, value: bytes) -> T:
        return read(value, msgspec.json.Decoder(self.model_type))

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: SchemaCreator
    ) -> Reference | Schema:
        """The struct's schema, which the framework lets say nothing of unknown fields, though the struct refuses them."""
        made = schema_creator.for_field_definition(field_definition)
        # A body that may be left out is one of its struct and null.
        for one in [made, *(made.one_of or [] if isinstance(made, Schema) else [])]:
            if isinstance(one, Reference):
                schema_creator.schema_registry.from_reference(one).schema.additional_properties = False
        return made
