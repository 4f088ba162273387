"""Query strings, read strictly.

Belongs here: refusing what the framework would let pass. Does not: what a parameter may be (the routes).

Of a parameter that is given twice the framework takes the last one: an answer to half of what was asked, with status 200.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Request

from serving.problems import BadRequest


async def once_each(request: Request[Any, Any, Any]) -> None:
    """BadRequest for a parameter given several times of which the route takes one value."""
    text = request.scope["query_string"]
    if b"&" not in text:
        return
    taken = request.scope["route_handler"].parsed_fn_signature.parameters
    seen = set[str]()
    for name, _ in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        if name in seen and name in taken and not taken[name].is_non_string_sequence:
            raise BadRequest(f"the parameter {name} is given several times; give it once")
        seen.add(name)
