"""The page and its routes over a socket: who gets what, with which headers, from the real service."""

import gzip
import re

import pytest

from serving.dashboard.page import POLICY, REPORT_POLICY
from spx_assets_tests.integration.serving.homes import Running

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OF = "instrument=SPX500_USD&horizon=30"


def test_a_browser_gets_the_page_under_its_policy_and_other_clients_the_information(service: Running) -> None:
    page, told = service.client.get("/", headers=BROWSER), service.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert {page.headers["vary"], told.headers["vary"]} == {"Accept"}
    assert '<option value="dark">dark</option>' in page.text
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert told.json()["openapi"] == "/docs/openapi.json"
    assert "GET /" in told.json()["routes"]
    assert not any("/dashboard" in route for route in told.json()["routes"])


def test_head_tells_the_same_headers_and_sends_nothing(service: Running) -> None:
    asked, told = service.client.head("/", headers=BROWSER), service.client.get("/", headers=BROWSER)
    assert (asked.status_code, asked.content) == (200, b"")
    for name in ("content-type", "content-length", "content-security-policy", "vary", "cache-control"):
        assert asked.headers[name] == told.headers[name]
    plain = service.client.head("/")
    assert (plain.status_code, plain.headers["content-type"]) == (200, "application/json")


def test_files_are_kept_for_a_year_under_their_build_and_come_compressed(service: Running) -> None:
    page = service.client.get("/", headers=BROWSER).text
    addresses = set(re.findall(r'(?:src|href)="(/dashboard/static/[^"]+)"', page))
    assert {address.rsplit("/", 1)[1] for address in addresses} == {
        "icon.svg",
        "dashboard.css",
        "plotly.css",
        "theme.js",
        "app.js",
    }
    folder = addresses.pop().rsplit("/", 1)[0]
    with service.client.stream("GET", f"{folder}/plotly.min.js", headers={"accept-encoding": "gzip"}) as answer:
        small = b"".join(answer.iter_raw())
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["content-encoding"] == "gzip"
    assert len(small) < 1_600_000
    assert gzip.decompress(small)[:200].count(b"plotly.js v2") == 1
    other = service.get("/dashboard/static/of-another-build/app.js")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-cache")
    assert service.get(f"{folder}/page.py").status_code == 404


def test_a_panel_shows_what_the_routes_for_everybody_say(service: Running) -> None:
    market = service.get(f"/dashboard/market?{OF}").json()
    assert len(market["candles"]["ts"]) > 1000
    assert {len(column) for column in market["candles"].values()} == {len(market["candles"]["ts"])}
    assert market["provider"] == "simulator"
    shown = service.get(f"/dashboard/signal?{OF}").json()
    assert shown["forecast"]["timestamp"] == service.predict().json()["timestamp"]
    assert service.get(f"/dashboard/signal?{OF}").json()["forecast"]["id"] == shown["forecast"]["id"]
    card = service.get(f"/dashboard/model?{OF}").json()
    assert card["info"]["version"] == shown["forecast"]["model_version"]
    assert "was written without report.json" in card["lacking"]
    assert service.get(f"/dashboard/record?{OF}").json()["days"] == 30
    assert service.get("/dashboard/drift?instrument=SPX500_USD").json()["days"] == []
    parts = {part["name"]: part["state"] for part in service.get("/dashboard/system").json()["parts"]}
    assert parts == {"SPX500_USD": "ok", "Models": "ok", "Lake": "ok", "Redis": "off", "Ledger": "ok"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/dashboard/signal?instrument=XAU_USD&horizon=30", 404, "unknown_instrument"),
        ("/dashboard/market?instrument=SPX500_USD&horizon=0", 400, "bad_request"),
        ("/dashboard/reports/..%2Fsecret.html", 404, "not_found"),
    ],
)
def test_what_is_not_there_is_a_problem(service: Running, path: str, status: int, code: str) -> None:
    answer = service.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_instrument_without_a_feed_has_no_candles(service: Running) -> None:
    found = service.get("/dashboard/market?instrument=XAU_USD&horizon=30").json()
    assert (found["provider"], found["candles"]["ts"]) == (None, [])


def test_a_report_may_run_its_scripts_and_reach_nothing(traded: tuple[object, object], service: Running) -> None:
    folder = traded[0] / "reports" / "drift"  # type: ignore[operator]
    folder.mkdir(parents=True)
    (folder / "SPX500_USD-2025-10-14.html").write_text("<h1>drift</h1>")
    answer = service.get("/dashboard/reports/SPX500_USD-2025-10-14.html")
    assert (answer.text, answer.headers["content-security-policy"]) == ("<h1>drift</h1>", REPORT_POLICY)
    assert answer.headers["content-type"].startswith("text/html")
