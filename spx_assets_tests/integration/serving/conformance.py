"""Requests made from the service's own OpenAPI document, valid and broken, and what every answer must then be.

Belongs here: what the short and the long proof share. Does not: how many cases, rules of single routes.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from serving.keys import KeyStore
from spx_assets_tests.integration.serving import homes

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
Operation = APIOperation[Any, Any, Any, Any]
REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "429", "431", "503"]
"""What an answer to a broken request may be: a query may be too large before it is wrong."""
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
STREAMS = "text/event-stream"
PIECEMEAL = "/predict/batch"
"""Answers 200 with what is wrong with each of the requests that it carries."""


KNOWN = {"instrument": "SPX500_USD", "name": "spx500_h30", "model_name": "spx500_h30"}
"""What the homes of these tests have."""


@contextmanager
def service(home: Path) -> Iterator[tuple[str, str]]:
    """The service of a home with one model: its URL and the key of an operator."""
    settings = homes.settings_of(home)
    homes.model(settings)
    _, key = KeyStore(settings).create("contract", "operator")
    with homes.running(home) as running:
        yield str(running.client.base_url).rstrip("/"), key


@dataclass
class Found:
    """How many cases there were, and how often each operation was answered with which status."""

    cases: int = 0
    statuses: dict[str, Counter[int]] = field(default_factory=dict)


def run(url: str, *, key: str, cases: int, known: dict[str, str], number: int = 0) -> Found:
    """At least `cases` requests, as many to each operation that takes something, half of them broken on purpose.

    An answer is the one documented for its status; of the statuses from 500 on only a documented 503 is one; what the document
    does not allow is refused. In every other valid request fields named in `known` have that value: random names are 404 only.
    """
    document = requests.get(f"{url}/docs/openapi.json", timeout=60).json()
    config = schemathesis.Config.from_dict(CONFIG)
    # Texts of all characters but surrogates, as with UTF-8, of which a table would be made in 1.6 CPU s.
    config.projects.default.generation.codec = None
    schema = schemathesis.openapi.from_dict(document, config=config)
    operations = [made for one in schema.get_all_operations() if (made := one.ok()) is not None and not _streams(document, made)]
    varied = [one for one in operations if one.body or one.path_parameters or one.query]
    asking = _Asking(url, known, -(-cases // (2 * len(varied))), number)
    asking.session.trust_env = False  # proxies of the environment, which would be looked up for each of 20,000 requests
    asking.session.headers["authorization"] = f"Bearer {key}"
    with asking.session:
        for operation in operations:
            asking.ask(operation, GenerationMode.POSITIVE)
            if operation in varied:
                asking.ask(operation, GenerationMode.NEGATIVE)
    return asking.found


class _Asking:
    """Sends cases to one service and counts them."""

    def __init__(self, url: str, known: dict[str, str], each: int, number: int) -> None:
        self.session, self.found = requests.Session(), Found()
        self._url, self._known, self._each, self._number = url, known, each, number

    def ask(self, operation: Operation, mode: GenerationMode) -> None:
        valid = mode is GenerationMode.POSITIVE
        checks = CHECKS if valid or operation.path == PIECEMEAL else [*CHECKS, negative_data_rejection]
        counted = self.found.statuses.setdefault(operation.label, Counter())

        @seed(self._number)
        @settings(
            max_examples=self._each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def one(case: Case) -> None:
            if valid and self.found.cases % 2:
                _name(case, self._known)
            answer = case.call(base_url=self._url, session=self.session, timeout=60)
            self.found.cases += 1
            counted[answer.status_code] += 1
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            case.validate_response(answer, checks=checks)

        one()


def _name(case: Case, known: dict[str, str]) -> None:
    """Puts what is known in place of what was made up."""
    for fields in (case.path_parameters, case.query, case.body):
        if isinstance(fields, dict):
            fields.update({name: value for name, value in known.items() if name in fields})


def _streams(document: dict[str, Any], operation: Operation) -> bool:
    """Whether an operation answers without end."""
    described = document["paths"][operation.path][operation.method]
    return any(STREAMS in answer.get("content", {}) for answer in described["responses"].values())
