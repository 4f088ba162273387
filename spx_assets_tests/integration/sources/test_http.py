"""The manners of the shared client against a server that misbehaves."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from spx_assets.sources.errors import BadAnswerError, NotFoundError, ProviderDownError, RateLimitError, UnauthorisedError
from spx_assets.sources.http import ATTEMPTS, Client
from spx_assets_tests.integration.sources.provider import Provider


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(provider: Provider, waits: list[float]) -> Client:
    provider.files["a"] = b"the body"
    return Client("Test", provider.url, timeout_s=5.0, backoff_s=0.01, sleep=waits.append, remedy="set a token")


@pytest.mark.parametrize("fault", [500, 502, 503, "cut", "close"])
def test_passing_trouble_is_tried_again(provider: Provider, client: Client, waits: list[float], fault: object) -> None:
    provider.faults.extend([fault, fault])
    assert client.get("a") == b"the body"
    assert len(provider.asked) == 3
    assert len(waits) == 2
    assert 0.005 <= waits[0] <= 0.01
    assert 0.01 <= waits[1] <= 0.02


@pytest.mark.parametrize("said", ["7", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)])
def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    provider: Provider, client: Client, waits: list[float], said: object
) -> None:
    provider.faults.append((429, said() if callable(said) else said))
    assert client.get("a") == b"the body"
    assert 5.0 <= waits[0] <= 7.0


def test_a_long_retry_after_is_not_waited_for(provider: Provider, client: Client, waits: list[float]) -> None:
    provider.faults.append((429, "3600"))
    with pytest.raises(RateLimitError, match="asks to wait 3600 s"):
        client.get("a")
    assert waits == []


def test_a_senseless_retry_after_falls_back_to_the_usual_wait(provider: Provider, client: Client, waits: list[float]) -> None:
    provider.faults.append((429, "soon"))
    assert client.get("a") == b"the body"
    assert waits[0] <= 0.01


def test_a_secret_is_masked_in_every_form_an_answer_may_give_it() -> None:
    with Client("Test", "", timeout_s=1.0, secrets={"key": "a/b c="}, hidden=("t%k",)) as client:
        assert client.masked("a/b c= a%2Fb%20c%3D a%2fb+c%3d t%k t%25k a/b") == "*** *** *** *** *** a/b"
    with Client("Test", "", timeout_s=1.0) as client:
        assert client.masked("a/b") == "a/b"


def test_attempts_are_bounded(provider: Provider, client: Client) -> None:
    provider.faults.extend([503] * 100)
    with pytest.raises(ProviderDownError, match=r"did not answer in 6 attempts \(last: 503 from .*run the command again later"):
        client.get("a")
    assert len(provider.asked) == ATTEMPTS


def test_an_absent_server_is_a_typed_error() -> None:
    client = Client("Test", "http://127.0.0.1:9", timeout_s=0.5, sleep=lambda _: None)
    with pytest.raises(ProviderDownError, match="ConnectError"):
        client.get("a")


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, UnauthorisedError, "set a token"),
        (403, UnauthorisedError, "set a token"),
        (404, NotFoundError, "404"),
        (400, BadAnswerError, "trouble"),
    ],
)
def test_a_refusal_is_not_tried_again(provider: Provider, client: Client, status: int, error: type[Exception], says: str) -> None:
    provider.faults.append(status)
    with pytest.raises(error, match=says):
        client.get("a")
    assert len(provider.asked) == 1
