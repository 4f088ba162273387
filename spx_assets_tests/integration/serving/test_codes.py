"""Codes of 503 that hang on the model and its news, and a start beside a corrupt artifact: a real process on a socket."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import httpx
import polars as pl

from serving.model_store import INPUTS
from spx_assets.features import catalog
from spx_assets.lake import Lake
from spx_assets.sources import bindings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.test_http import assert_problem
from spx_assets_tests.integration.serving.test_state import FIXED_CLOCK, LAST
from spx_assets_tests.unit.scoring import toy

FIRST, PLAIN = "20251014T160000Z-0001", INPUTS[:3]


def test_each_state_of_model_and_news_has_its_code_and_a_start_beside_rot_serves_what_was_verified(
    own_home: Path, traded: tuple[Path, pl.DataFrame], tmp_path: Path
) -> None:
    settings = homes.settings_of(own_home)
    lake = Lake.open(settings)
    bindings.write(lake, [dataclasses.replace(bindings.feeds(lake)["SPX500_USD"], live=True)])
    lake.close()
    clock = tmp_path / "now"
    clock.write_text((LAST + timedelta(minutes=1)).isoformat())
    unknown = next(name for name in INPUTS if traded[1][name][-1] is None)

    def serve(version: str, names: tuple[str, ...], verdict: str = "promoted", **changes: object) -> str:
        described = toy.manifest(names, version=version, feature_set_hash=catalog.feature_set_hash(names), **changes)
        made = toy.write(settings.artifacts, described, [0.001] * len(names))
        toy.serve(settings.artifacts, made, verdict=verdict)
        return version

    def ended(code: str) -> httpx.Response:
        answer = service.until("/predict", lambda answer: answer.json().get("code") == code)
        assert_problem(answer, 503, code)
        return answer

    serve(FIRST, PLAIN)
    refuse = {"SPX_MODELS__NO_EDGE": "refuse", "SPX_NEWS__LIVE": '["rss"]'}
    with homes.running(own_home, script=FIXED_CLOCK, args=(str(clock),), **refuse) as service:
        assert service.predict().json()["model_version"] == FIRST
        serve("20251015T160000Z-0002", PLAIN, verdict="no_edge")
        assert "SPX_MODELS__NO_EDGE=flag" in ended("model_refused").json()["detail"]
        serve("20251015T160000Z-0003", (*PLAIN, unknown), required=(unknown,))
        assert ended("warming_up").json()["missing"] == [unknown]
        serve("20251015T160000Z-0004", ("avg_sentiment", *PLAIN))
        assert "rss was never polled" in ended("stale_news").json()["detail"]
        serve("20251015T160000Z-0005", PLAIN, input_rows=1_430)
        assert "looks at 1430" in ended("warming_up").json()["detail"]
        serve("20251015T160000Z-0006", PLAIN)
        service.until("/predict", lambda answer: answer.status_code == 200)

    bad = serve("20251015T160000Z-0007", PLAIN)
    (settings.artifacts / "models" / "spx500_h30" / bad / "model.onnx").write_bytes(b"\x80\x04rot")
    with homes.running(own_home, script=FIXED_CLOCK, args=(str(clock),), **refuse) as service:
        answer = service.predict().json()
        assert (answer["model_version"], answer["alias"]) == ("20251015T160000Z-0006", "last_verified")
        [problem] = service.get("/health").json()["problems"]
        assert "model.onnx was altered" in problem
        assert problem.endswith("20251015T160000Z-0006 answers meanwhile")
        (settings.artifacts / "models" / "spx500_h30" / "20251015T160000Z-0006" / "model.onnx").write_bytes(b"\x80\x04rot")
        assert service.predict().status_code == 200
