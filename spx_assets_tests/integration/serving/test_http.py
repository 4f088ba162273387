"""The service as a client meets it: a real process on a socket."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest

from serving.keys import KeyStore
from serving.model_store import INPUTS
from spx_assets.scoring.artifact import load
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import Settings
from spx_assets_tests.integration.serving.homes import Running

JSON = {"content-type": "application/json"}
FIELDS = {
    *("id", "instrument", "timestamp", "horizon_minutes", "prediction", "probability", "confidence", "signal_strength", "signal"),
    *("gate", "return_head", "expected_return_bp", "predicted_price", "interval_bp", "horizon_crosses_close", "features_used"),
    *("features_source", "feature_age_s", "in_sample", "model_name", "model_version", "model_digest", "alias", "skill"),
    "latency_ms",
}


def test_the_answer_is_the_models_forecast_of_the_batch_row_to_the_bit(
    service: Running, traded: tuple[Path, pl.DataFrame]
) -> None:
    home, rows = traded
    last = rows.tail(1)
    artifact = load(home / "artifacts" / "models" / "spx500_h30" / "20251015T160000Z-0001")
    expected = Forecaster.of(artifact).predict(last.select(INPUTS).to_numpy().astype(np.float32))
    answer = service.predict()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == FIELDS
    assert body["timestamp"] == "2025-10-15T15:59:00Z" == last["ts"][0].isoformat().replace("+00:00", "Z")
    assert body["expected_return_bp"] == expected.return_bp[0] != 0.0
    assert body["probability"] == expected.probability_up[0]
    assert body["interval_bp"] == {"low": expected.interval_low_bp[0], "high": expected.interval_high_bp[0], "level": 0.9}
    assert body["model_digest"] == artifact.manifest.digest
    assert (body["features_used"], body["gate"], body["feature_age_s"]) == (len(INPUTS), "promoted", 0.0)


def test_a_simulated_home_answers_although_its_bars_are_old(service: Running) -> None:
    body = service.predict(horizon_minutes=30, model_name="spx500_h30").json()
    assert datetime.fromisoformat(body["timestamp"]) < datetime.now(UTC)
    assert body["feature_age_s"] == 0.0


def test_two_answers_have_two_ids(service: Running) -> None:
    assert service.predict().json()["id"] != service.predict().json()["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"SPX500_USD"',
        b"\xff\xfe\x00",
        b"[" * 60_000,
        b"{}",
        b'{"instrument": null}',
        b'{"instrument": 500}',
        b'{"instrument": ""}',
        b'{"instrument": "\\ud800"}',
        b'{"instrument": "SPX500_USD", "horizon": 30}',
        b'{"instrument": "SPX500_USD", "horizon_minutes": "30"}',
        b'{"instrument": "SPX500_USD", "horizon_minutes": 30.5}',
        b'{"instrument": "SPX500_USD", "horizon_minutes": true}',
        b'{"instrument": "SPX500_USD", "horizon_minutes": 0}',
        b'{"instrument": "SPX500_USD", "horizon_minutes": 1e999}',
        b'{"instrument": "SPX500_USD", "model_name": 1}',
    ],
)
def test_a_body_that_is_no_request_is_a_400_problem(service: Running, body: bytes) -> None:
    answer = service.client.post("/predict", content=body, headers=JSON)
    assert_problem(answer, 400, "bad_request")


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:spx-assets:problem:{code}")
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in answer.text


def test_every_other_error_is_a_problem_document_too(service: Running) -> None:
    assert_problem(service.predict("EUR_USD"), 404, "unknown_instrument")
    assert_problem(service.predict(model_name="spx500_h31"), 404, "unknown_model")
    assert_problem(service.predict(horizon_minutes=31), 400, "unknown_horizon")
    assert_problem(service.predict(horizon_minutes=60), 503, "no_model")
    assert_problem(service.get("/nowhere"), 404, "not_found")
    assert_problem(service.get("/predict"), 405, "method_not_allowed")
    assert_problem(service.client.post("/predict", content=b" " * 600_000, headers=JSON), 413, "body_too_large")


def test_simulated_news_are_ordered_over_the_socket_by_who_holds_a_key(
    service: Running, traded: tuple[Path, pl.DataFrame]
) -> None:
    # Nobody is trusted to speak for another, so the address is that of the connection.
    refused = service.client.post("/api/stream/negative", headers={"x-forwarded-for": "203.0.113.9"})
    assert_problem(refused, 401, "unauthorized")
    made, key = KeyStore(Settings(home=traded[0])).create("ops", "operator")
    answer = service.client.post("/api/stream/negative", json={"count": 2}, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 202
    assert (traded[0] / "news-drop" / answer.json()["file"]).is_file()
    log = (traded[0] / "logs" / "audit.ndjson").read_text().splitlines()
    lines = [json.loads(line) for line in log[-2:]]
    assert [(line.get("key"), line["status"], line["address"]) for line in lines] == [
        (None, 401, "127.0.0.1"),
        (made.id, 202, "127.0.0.1"),
    ]


def test_models_and_health_say_what_answers(service: Running) -> None:
    [model] = service.get("/models").json()
    assert (model["name"], model["type"], model["features"], model["score"]) == ("spx500_h30", "lightgbm", len(INPUTS), 0.55)
    assert (model["gate"], model["alias"], model["generation"]) == ("promoted", "champion", 1)
    assert model["skill"]["log_loss_base"] == 0.69
    health = service.get("/health").json()
    assert (health["status"], health["models_loaded"], health["models"], health["problems"]) == ("healthy", 1, ["spx500_h30"], [])
    assert health["instruments"] == {"SPX500_USD": "2025-10-15T15:59:00Z"}
    assert service.get("/").json()["docs"] == "/docs"


def test_the_docs_load_from_this_process_alone(service: Running) -> None:
    page = service.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for path in loaded:
        assert path.startswith("/docs/static/")
        assert service.get(path).status_code == 200
    assert "<script>" not in page.text
    start = service.get("/docs/static/start.js").text
    assert 'url: "/docs/openapi.json"' in start
    assert "SwaggerUIBundle" in service.get("/docs/static/swagger-ui-bundle.js").text
    assert_problem(service.get("/docs/static/swagger-editor.js"), 404, "not_found")


def test_the_openapi_document_names_every_route_field_and_code(service: Running) -> None:
    schema = service.get("/docs/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["components"]["schemas"]["Prediction"]["properties"]) == FIELDS | {"features", "reasons"}
    responses = schema["paths"]["/predict"]["post"]["responses"]
    assert {"200", "400", "404", "409", "503"} <= set(responses)
    codes = set(responses["503"]["description"].removeprefix("code: ").split(", "))
    assert codes >= {"no_model", "bad_artifact", "model_refused", "lake_unavailable", "market_closed", "stale_features"}
    assert codes >= {"stale_news", "warming_up"}
    for path, methods in schema["paths"].items():
        for method, said in methods.items():
            assert said["summary"], (path, method)
            assert said["description"], (path, method)
    assert service.get("/").json()["routes"] == sorted(f"{m.upper()} {path}" for path, ms in schema["paths"].items() for m in ms)


def test_forecasts_are_counted_by_model_and_signal(service: Running) -> None:
    def counted() -> dict[str, float]:
        lines = [line.rpartition(" ") for line in service.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    before = counted()
    signals = [service.predict().json()["signal"] for _ in range(3)]
    service.predict("EUR_USD")
    after = counted()
    given = {name: after[name] - before.get(name, 0) for name in after if name.startswith("spx_predictions_total")}
    assert given == {f'spx_predictions_total{{model="spx500_h30",signal="{signals[0]}"}}': 3.0}
    assert after['spx_model_generation{model="spx500_h30"}'] == 1.0
    assert after['spx_vector_age_seconds{instrument="SPX500_USD"}'] == 0.0
    assert after["spx_ledger_backlog_bytes"] >= 3 * 49
    requests = 'spx_http_requests_total{method="POST",route="/predict",status="%d"}'
    assert [after[requests % status] - before.get(requests % status, 0) for status in (200, 404)] == [3.0, 1.0]
    assert service.get("/health/ready").json() == {"status": "ready", "problems": []}
