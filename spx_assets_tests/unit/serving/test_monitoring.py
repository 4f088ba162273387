"""Drift and alerts over HTTP: rows that came through the lake, or an honest nothing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.keys import KeyStore
from spx_assets.lake import Lake, tables
from spx_assets.settings import Settings, load

TUESDAY, WEDNESDAY = date(2025, 10, 14), date(2025, 10, 15)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = load(tmp_path_factory.mktemp("drift") / "home")
    Lake.open(made).snapshot()
    return made


@pytest.fixture(scope="module")
def client(home: Settings) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(home)) as client:
        yield client


@pytest.fixture(scope="module")
def operator(home: Settings) -> dict[str, str]:
    return {"x-api-key": KeyStore(home).create("desk", "operator")[1]}


def report(home: Settings, day: date, instrument: str, *rows: tuple[str, float, float | None, bool]) -> None:
    names = ("feature", "statistic", "p_adjusted", "drifted")
    start = datetime(day.year, day.month, day.day - 1, 21, tzinfo=UTC)
    frame = pl.DataFrame(
        [dict(zip(names, row, strict=True)) | {"trading_day": day, "ts": start, "instrument": instrument} for row in rows],
        schema=tables.table("monitoring.feature_drift").schema(),
    )
    Lake.open(home).append("monitoring.feature_drift", frame)


def test_without_a_report_nothing_is_said_of_drift(client: TestClient[Any]) -> None:
    answer = client.get("/monitoring/drift/check")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_drift_report")
    assert "the drift assets fill it" in answer.json()["detail"]


def test_the_newest_day_is_told_of_all_instruments_or_of_one(client: TestClient[Any], home: Settings) -> None:
    report(home, TUESDAY, "SPX500_USD", ("rsi_14", 0.9, 0.001, True), ("atr_14", 0.8, 0.002, True))
    report(home, TUESDAY, "NAS100_USD", ("rsi_14", 0.1, 0.9, False))
    four = [("rsi_14", 0.05, 0.7, False), ("atr_14", 0.3, 0.01, True), ("adx_14", 0.5, None, True), ("roc_5", 0.02, 1.0, False)]
    report(home, WEDNESDAY, "SPX500_USD", *four)
    body = client.get("/monitoring/drift/check").json()
    assert body == {
        "drift_detected": True,
        "drift_score": 0.5,
        "drifted_features": ["adx_14", "atr_14"],
        "trading_day": "2025-10-15",
        "instruments": ["SPX500_USD"],
        "features_checked": 4,
        "details": [
            {"instrument": "SPX500_USD", "feature": "adx_14", "statistic": 0.5, "p_adjusted": None},
            {"instrument": "SPX500_USD", "feature": "atr_14", "statistic": 0.3, "p_adjusted": 0.01},
        ],
    }
    other = client.get("/monitoring/drift/check", params={"instrument": "NAS100_USD"}).json()
    assert (other["trading_day"], other["drift_detected"], other["drift_score"]) == ("2025-10-14", False, 0.0)
    missing = client.get("/monitoring/drift/check", params={"instrument": "EUR_USD"})
    assert (missing.status_code, missing.json()["code"]) == (404, "no_drift_report")


def test_an_alert_waits_in_the_lake_for_its_delivery(client: TestClient[Any], home: Settings, operator: dict[str, str]) -> None:
    answer = client.post("/monitoring/drift/alert", headers=operator, json={"message": "spread doubled", "severity": "critical"})
    assert answer.status_code == 201
    body = answer.json()
    [row] = Lake.open(home).read("monitoring.alerts").iter_rows(named=True)
    assert (row["id"], row["kind"], row["severity"], row["message"]) == (body["id"], "drift", "critical", "spread doubled")
    assert (row["delivery"], row["delivered_at"], body["delivery"]) == ("pending", None, "pending")
    assert row["source"] == body["source"]
    assert row["source"].endswith("(desk)")
    assert abs((datetime.now(UTC) - row["created_at"]).total_seconds()) < 60


def test_an_alert_makes_no_lake_where_there_is_none(settings: Settings) -> None:
    key = KeyStore(settings).create("desk", "operator")[1]
    with TestClient(create_app(settings)) as client:
        answer = client.post("/monitoring/drift/alert", headers={"x-api-key": key}, json={"message": "spread doubled"})
    assert (answer.status_code, answer.json()["code"]) == (503, "lake_unavailable")
    assert not (settings.home / "lake").exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"message": ""}, {"message": "x", "severity": "high"}, {"message": "x", "kind": "Drift!"}, {"message": "x", "to": 1}],
)
def test_what_is_no_alert_is_refused(client: TestClient[Any], home: Settings, operator: dict[str, str], body: Any) -> None:
    before = Lake.open(home).count("monitoring.alerts")
    answer = client.post("/monitoring/drift/alert", headers=operator, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert Lake.open(home).count("monitoring.alerts") == before
