"""Every route of forecasts, models, features and news over a socket, and the codes they answer with."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from serving.keys import KeyStore
from serving.model_store import INPUTS
from spx_assets.features import catalog
from spx_assets.lake import Chunk, Chunks, Lake
from spx_assets.scoring import artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.homes import Running
from spx_assets_tests.integration.serving.test_http import assert_problem
from spx_assets_tests.unit.scoring import toy

CHAMPION, EARLIER = "20251015T160000Z-0001", "20251014T160000Z-0001"
AT = "2025-10-15T14:30:00Z"
MEDIANS = tuple(0.25 for _ in INPUTS)


@pytest.fixture(scope="module")
def earlier(service: Running, traded: tuple[Path, pl.DataFrame]) -> artifact.Artifact:
    """A version beside the champion, trained a day before and with medians; the service does not serve it."""
    settings = homes.settings_of(traded[0])
    described = toy.manifest(
        INPUTS,
        version=EARLIER,
        feature_set_hash=catalog.feature_set_hash(INPUTS),
        training_cutoff=datetime.fromisoformat("2025-10-14T16:00:00+00:00"),
        medians=MEDIANS,
    )
    return toy.write(settings.artifacts, described, homes.WEIGHTS, slope=0.1, bias=2.0)


def row_of(rows: pl.DataFrame, ts: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    own = rows.filter(pl.col("ts") == datetime.fromisoformat(ts)).select(INPUTS)
    return own.to_numpy().astype(np.float32)


def test_a_past_time_is_answered_from_its_batch_row_by_a_model_that_had_not_seen_it(
    service: Running, traded: tuple[Path, pl.DataFrame], earlier: artifact.Artifact
) -> None:
    row = row_of(traded[1], "2025-10-15T14:29:00Z")
    expected = Forecaster.of(earlier).predict(row)
    body = service.predict(timestamp=AT, include_features=True, include_reasons=True).json()
    assert body["expected_return_bp"] == expected.return_bp[0]
    assert body["probability"] == expected.probability_up[0]
    assert (body["timestamp"], body["feature_age_s"]) == ("2025-10-15T14:29:00Z", 0.0)
    assert (body["features_source"], body["alias"], body["in_sample"]) == ("lake", "walk_forward", False)
    given = [None if np.isnan(value) else float(value) for value in row[0]]
    assert [*body["features"].items()] == [*zip(INPUTS, given, strict=True)]
    assert len(body["reasons"]) == 5
    effects = [abs(reason["probability"]) for reason in body["reasons"]]
    assert effects == sorted(effects, reverse=True)
    named = service.predict(timestamp=AT, model_version=CHAMPION).json()
    assert (named["in_sample"], named["alias"]) == (True, "version")
    assert named["expected_return_bp"] == pytest.approx(body["expected_return_bp"] - 2.0, abs=1e-4)
    sent = service.predict(timestamp=AT, features=given, model_version=EARLIER).json()
    assert (sent["probability"], sent["features_source"]) == (body["probability"], "caller")
    assert (sent["timestamp"], sent["predicted_price"], sent["feature_age_s"]) == (AT, None, None)


def test_each_code_of_a_request_over_the_socket(service: Running, earlier: artifact.Artifact) -> None:
    assert_problem(service.predict(timestamp="2025-10-15T14:30:00"), 400, "bad_request")
    assert_problem(service.predict(timestamp="2025-10-15T16:00:01Z"), 400, "future_timestamp")
    assert_problem(service.predict(timestamp="2025-10-14T15:59:00Z"), 404, "no_model_at")
    assert_problem(service.predict(timestamp="2025-10-11T12:00:00Z", model_version=EARLIER), 503, "market_closed")
    assert_problem(service.predict(model_version="20200101T000000Z-0001"), 404, "unknown_version")
    assert_problem(service.predict(features={}), 400, "bad_features")
    assert_problem(service.predict(features=[[0.0] * len(INPUTS)] * 2), 400, "needs_sequence")
    assert_problem(service.predict(include_reasons=True), 409, "no_medians")
    answer = service.predict(features={**dict.fromkeys(INPUTS[1:], 0.0), "sma": 1.0})
    assert_problem(answer, 400, "bad_features")
    assert (answer.json()["missing"], answer.json()["unknown"]) == ([INPUTS[0]], ["sma"])


def test_one_bad_item_of_a_batch_does_not_fail_the_rest(service: Running, earlier: artifact.Artifact) -> None:
    items: list[Any] = [
        {"instrument": "SPX500_USD"},
        {"instrument": "EUR_USD"},
        {"instrument": "SPX500_USD", "horizon": 30},
        7,
        {"instrument": "SPX500_USD", "timestamp": AT},
        {"instrument": "SPX500_USD", "features": [0.0] * len(INPUTS)},
        {"instrument": "SPX500_USD", "model_version": EARLIER, "include_reasons": True},
    ]
    answer = service.client.post("/predict/batch", json={"requests": items})
    assert answer.status_code == 200
    answers = answer.json()["answers"]
    assert [[*item] for item in answers] == [[*("prediction",)]] + [["problem"]] * 3 + [["prediction"]] * 3
    assert [item["problem"]["code"] for item in answers[1:4]] == ["unknown_instrument", "bad_request", "bad_request"]
    now = service.predict().json()
    differs = {"id", "latency_ms"}
    assert {k: v for k, v in answers[0]["prediction"].items() if k not in differs} == {
        k: v for k, v in now.items() if k not in differs
    }
    assert [answers[k]["prediction"]["features_source"] for k in (0, 4, 5)] == ["online", "lake", "caller"]
    for body in ({"requests": []}, {"requests": [{}] * 101}, {}, [], {"requests": [], "x": 1}):
        assert_problem(service.client.post("/predict/batch", json=body), 400, "bad_request")


def test_rows_are_scored_as_bytes_and_as_json_alike(
    service: Running, traded: tuple[Path, pl.DataFrame], earlier: artifact.Artifact
) -> None:
    X = traded[1].tail(500).select(INPUTS).to_numpy().astype("<f4")
    expected = Forecaster.of(earlier).predict(X)
    bytes_ = {"content-type": "application/octet-stream"}
    asked = {"instrument": "SPX500_USD", "model_version": EARLIER}
    answer = service.client.post("/predict/matrix", params=asked, content=X.tobytes(), headers=bytes_)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (answer.headers["x-model-version"], answer.headers["x-rows"]) == (EARLIER, "500")
    values = np.frombuffer(answer.content, "<f4").reshape(-1, 4)
    columns = (expected.return_bp, expected.probability_up, expected.interval_low_bp, expected.interval_high_bp)
    assert values.tolist() == np.stack(columns, axis=1).astype("<f4").tolist()
    rows = [[None if np.isnan(value) else float(value) for value in row] for row in X[:20]]
    listed = service.client.post("/predict/matrix", json={**asked, "rows": rows}).json()
    assert listed["probability"] == expected.probability_up[:20].tolist()
    assert (listed["rows"], listed["model_digest"]) == (20, earlier.manifest.digest)
    post = service.client.post
    assert_problem(post("/predict/matrix", content=X.tobytes(), headers=bytes_), 400, "bad_request")
    assert_problem(post("/predict/matrix", params=asked, content=b"1234567", headers=bytes_), 400, "bad_features")
    assert_problem(post("/predict/matrix", json={**asked, "rows": [[1.0]]}), 400, "bad_features")
    assert_problem(post("/predict/matrix", json={"instrument": "EUR_USD", "rows": [[1.0]]}), 404, "unknown_instrument")
    assert_problem(post("/predict/matrix", content=b" " * 9_000_000, headers=bytes_), 413, "body_too_large")
    json_ = {"content-type": "application/json"}
    assert_problem(post("/predict/matrix", content=b" " * 3_000_000, headers=json_), 413, "body_too_large")


def test_online_features_are_the_batch_row_with_its_age_by_family(service: Running, traded: tuple[Path, pl.DataFrame]) -> None:
    body = service.get("/features/SPX500_USD").json()
    last = traded[1].tail(1).select(INPUTS).to_numpy().astype(np.float32)[0]
    assert [*body["features"]] == [*INPUTS]
    assert [np.nan if value is None else value for value in body["features"].values()] == pytest.approx(
        last.tolist(), nan_ok=True
    )
    assert body["timestamp"] == "2025-10-15T15:59:00Z"
    assert body["age_s"] == dict.fromkeys(catalog.FAMILIES, 0.0)
    chosen = service.get(f"/features/SPX500_USD?names={INPUTS[3]}&names={INPUTS[1]},{INPUTS[3]}").json()
    assert [*chosen["features"]] == [INPUTS[3], INPUTS[1]]
    assert [*chosen["age_s"]] == ["returns"]
    unknown = service.get(f"/features/SPX500_USD?names={INPUTS[0]},nonsense")
    assert_problem(unknown, 400, "unknown_feature")
    assert unknown.json()["unknown"] == ["nonsense"]
    assert_problem(service.get("/features/EUR_USD"), 404, "unknown_instrument")


def test_a_model_tells_its_inputs_in_order_and_the_debug_page_what_this_process_holds(service: Running) -> None:
    body = service.get("/models/spx500_h30").json()
    assert body["inputs"] == [*INPUTS]
    assert (body["info"]["version"], body["info"]["alias"], body["input_rows"]) == (CHAMPION, "champion", 1)
    assert CHAMPION in body["versions"]
    assert_problem(service.get("/models/spx500_h31"), 404, "unknown_model")
    assert_problem(service.get("/models/%2e%2e"), 404, "unknown_model")
    assert_problem(service.get("/models/spx500_h60"), 503, "no_model")
    debug = service.get("/debug/model-info").json()
    assert (debug["process"], debug["alias"], debug["manual"]) == (service.process.pid, "champion", {})
    [model] = debug["models"]
    assert (model["golden_rows"], model["columns"], model["folder"]) == (
        2,
        [*range(len(INPUTS))],
        f"models/spx500_h30/{CHAMPION}",
    )


def test_operators_load_and_unload_models_and_nobody_else(own_home: Path) -> None:
    settings = homes.settings_of(own_home)
    homes.model(settings, version=EARLIER, bias=3.0)
    homes.model(settings)
    store = KeyStore(settings)
    viewer, operator = (
        {"authorization": f"Bearer {store.create(role, role)[1]}"}
        for role in ("viewer", "operator")  # type: ignore[arg-type]
    )
    with homes.running(own_home) as service:
        champion = service.predict().json()["model_digest"]

        def load(name: str = "spx500_h30", headers: dict[str, str] = operator, **body: str) -> httpx.Response:
            return service.client.post(f"/models/{name}/load", json=body, headers=headers)

        assert_problem(load(headers={}, version=EARLIER), 401, "unauthorized")
        assert_problem(load(headers=viewer, version=EARLIER), 403, "forbidden")
        assert_problem(service.client.delete("/models/spx500_h30"), 401, "unauthorized")
        assert_problem(service.client.delete("/models/spx500_h30", headers=viewer), 403, "forbidden")
        assert_problem(load(), 400, "bad_request")
        assert_problem(load(version=EARLIER, alias="champion"), 400, "bad_request")
        assert_problem(load(version="20200101T000000Z-0001"), 404, "unknown_version")
        assert_problem(load(alias="challenger"), 404, "unknown_version")
        assert_problem(load(name="spx500_h31", version=EARLIER), 404, "unknown_model")
        assert service.predict().json()["model_digest"] == champion

        loaded = load(version=EARLIER)
        assert (loaded.status_code, loaded.json()["alias"]) == (200, "manual")
        assert service.predict().json()["model_version"] == EARLIER
        assert service.get("/health").json()["manual"]["spx500_h30"].startswith(f"{EARLIER} was loaded by operator at ")
        gone = service.client.delete("/models/spx500_h30", headers=operator).json()
        assert gone == {"name": "spx500_h30", "version": EARLIER, "generation": 2}
        assert_problem(service.predict(), 503, "no_model")
        assert load(alias="champion").json()["alias"] == "champion"
        assert service.predict().json()["model_digest"] == champion

        (settings.artifacts / "models" / "spx500_h30" / EARLIER / "model.onnx").write_bytes(b"rot")
        assert_problem(load(version=EARLIER), 503, "bad_artifact")
        assert service.predict().json()["model_digest"] == champion
    lines = [json.loads(line) for line in (own_home / "logs" / "audit.ndjson").read_text().splitlines()]
    lines = [line for line in lines if "/models/" in line["call"]]  # others had written in the home that this one was copied from
    done = [line for line in lines if line["status"] == 200]
    assert [(line["who"], line["model"]) for line in done] == [("operator", "spx500_h30")] * 3
    assert [line.get("loaded") for line in done] == [EARLIER, None, CHAMPION]
    assert len(lines) == 13


ARTICLE = {
    "provider": "rss",
    "source": "Example Wire",
    "body": None,
    "language": "en",
    "time_precision": "minute",
    "raw": "{}",
}


def test_recent_news_are_judged_by_the_feeds_clock_and_told_as_text(own_home: Path) -> None:
    settings = homes.settings_of(own_home)
    lake = Lake.open(settings)
    end = datetime.fromisoformat("2025-10-15T16:00:00+00:00")

    def told(number: int, minutes: int, **changes: Any) -> dict[str, Any]:
        known = end.timestamp() - 60 * minutes
        at = datetime.fromtimestamp(known, tz=end.tzinfo)
        row = {**ARTICLE, "article_id": f"a{number}", "revision": 0, "title": f"title {number}", "url": "https://example.com/1"}
        return {**row, "known_at": at, "published_at": at, "first_seen_at": at, "ingested_at": at, **changes}

    markup = "<script>alert(1)</script> & Co"
    rows = [
        told(1, 0, title=markup, url="javascript:alert(1)"),
        told(2, 90),
        told(2, 60, revision=1, title="corrected"),
        told(3, 119),
        told(4, 120),
        told(5, -1),
    ]
    schema = lake.read("bronze.news").schema
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    week = datetime(2025, 10, 12).date()  # noqa: DTZ001
    homes.commit(lake, "bronze.news", Chunks([Chunk((week,), frame.sort("article_id", "revision"))]))
    known = pl.lit(rows[2]["known_at"], dtype=pl.Datetime("us", "UTC"))
    scored = lake.read("silver.news_sentiment").tail(1)
    scores = scored.with_columns(article_id=pl.lit("a2"), revision=pl.lit(1, dtype=pl.Int32), known_at=known)
    homes.commit(lake, "silver.news_sentiment", Chunks([Chunk((week,), scores)]))
    with homes.running(own_home) as service:
        body = service.get("/news/recent?hours_back=2").json()
        assert (body["clock"], body["since"]) == ("2025-10-15T16:00:00Z", "2025-10-15T14:00:00Z")
        assert [article["title"] for article in body["articles"]] == [markup, "corrected", "title 3"]
        assert body["articles"][0]["url"] is None
        assert [len(article["sentiment"]) for article in body["articles"]] == [0, 1, 0]
        assert body["articles"][1]["sentiment"][0]["instrument"] == "SPX500_USD"
        assert [a["title"] for a in service.get("/news/recent?limit=1").json()["articles"]] == [markup]
        for query in ("limit=0", "limit=201", "hours_back=169", "limit=x"):
            assert_problem(service.get(f"/news/recent?{query}"), 400, "bad_request")
