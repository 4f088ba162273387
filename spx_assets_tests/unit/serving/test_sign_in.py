"""A browser in production: it signs in once, and what its cookie opens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient
from pydantic import SecretStr

from serving.app import create_app
from serving.keys import Key, KeyStore
from serving.sessions import COOKIE, Sessions
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import RateSettings, ServingSettings

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    serving = ServingSettings(mode="production", rates=RateSettings(per_key=0, per_address=0))
    return load(tmp_path_factory.mktemp("signed") / "home").model_copy(update={"serving": serving})


@pytest.fixture(scope="module")
def made(home: Settings) -> tuple[Key, str]:
    return KeyStore(home).create("a desk", "admin")


@pytest.fixture(scope="module")
def application(home: Settings, made: tuple[Key, str]) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(home), base_url="http://desk.example:8000") as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def client(application: TestClient[Any]) -> TestClient[Any]:
    """A browser that has not signed in."""
    application.cookies.clear()
    return application


def signed(client: TestClient[Any], key: str, after: str = "/docs") -> Any:
    return client.post("/sign-in", data={"key": key, "next": after})


def test_who_opens_a_page_is_sent_to_the_form_and_back(client: TestClient[Any], made: tuple[Key, str], home: Settings) -> None:
    sent = client.get("/docs/?theme=<dark>", headers=BROWSER)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/docs/%3Ftheme%3D%253Cdark%253E")
    page = client.get(sent.headers["location"], headers=BROWSER)
    assert page.status_code == 200
    assert 'name="next" value="/docs/?theme=%3Cdark%3E"' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    answer = signed(client, made[1])
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    cookie = answer.headers["set-cookie"]
    assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
    assert made[1].rpartition("_")[2] not in cookie
    line = json.loads((home.home / "logs" / "audit.ndjson").read_text().splitlines()[-1])
    assert (line["call"], line["status"], line["who"]) == ("POST /sign-in", 303, "a desk")
    for path in ("/docs", "/docs/openapi.json", "/", "/metrics"):
        assert client.get(path, headers=BROWSER).status_code == 200, path
    assert client.post("/predict", json={"instrument": "SPX500_USD"}).json()["code"] != "unauthorized"
    with client.websocket_connect("/ws/market-stream", headers={"origin": "http://desk.example:8000"}):
        pass
    client.post("/sign-out")
    assert client.get("/", headers=BROWSER).headers["location"] == "/sign-in?next=/"


def test_a_session_changes_nothing(client: TestClient[Any], made: tuple[Key, str]) -> None:
    signed(client, made[1])
    for method, path in (("POST", "/retrain"), ("DELETE", "/models/x"), ("POST", "/monitoring/drift/alert")):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path


def test_a_wrong_key_opens_nothing_and_is_told_in_the_form(client: TestClient[Any]) -> None:
    answer = signed(client, "spx_00000000_" + "A" * 43)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert "That is no valid key." in answer.text
    assert client.get("/").json()["code"] == "unauthorized"  # a program is told what it always was


@pytest.mark.parametrize("after", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x=1", ""])
def test_nobody_is_sent_from_the_form_to_another_site(client: TestClient[Any], made: tuple[Key, str], after: str) -> None:
    assert signed(client, made[1], after).headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://desk.example:3000"}, 401),  # another service of that host
        ({"origin": "http://desk.example:8000"}, 200),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 401),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}, 200),  # a link to the dashboard
        ({"sec-fetch-site": "same-origin", "origin": "https://proxy.example"}, 200),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
def test_pages_of_other_origins_do_not_read_with_it(
    client: TestClient[Any], made: tuple[Key, str], headers: dict[str, str], status: int
) -> None:
    signed(client, made[1])
    assert client.get("/metrics", headers=headers).status_code == status
    if status == 401:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws/market-stream", headers=headers):
            pass
        assert client.post("/sign-in", headers=headers, data={"key": made[1]}).json()["code"] == "foreign_origin"


def test_a_session_ends_with_its_time_its_key_and_its_secret(tmp_path: Path) -> None:
    settings = load(tmp_path / "home")
    store = KeyStore(settings)
    key, _ = store.create("a desk", "viewer")
    at = [1_000_000.0]
    sessions = Sessions(store, hours=1.0, now=lambda: at[0])
    content = sessions.begin(key, secure=True).partition(";")[0].partition("=")[2]
    assert sessions.begin(key, secure=True).endswith("; Secure")

    def holder(content: str) -> Key | None:
        cookie = f"other=1; {COOKIE}={content}".encode("latin-1")
        return sessions.holder({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)]})  # type: ignore[arg-type]

    assert holder(content) == key
    number, end, seal = content.split(".")
    for forged in (
        "",
        ".",
        "..",
        f"{number}.{int(end) + 9}.{seal}",
        f"{number}.{end}.{'0' * 64}",
        f"x.{end}.{seal}",
        "é.1.\udcff",
    ):
        assert holder(forged.encode("latin-1", "ignore").decode("latin-1")) is None, forged
    at[0] += 3601
    assert holder(content) is None
    at[0] -= 3600
    assert holder(content) == key
    moved = settings.model_copy(update={"serving": ServingSettings(secret=SecretStr("s" * 40))})
    assert not KeyStore(moved).is_seal(key, f"{number}.{end}", seal)
    store.revoke(key.id)
    assert holder(content) is None
