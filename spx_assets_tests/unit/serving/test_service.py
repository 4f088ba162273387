"""What an answer says, and what becomes of answers where something fails."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from serving.health import report
from serving.model_store import Found, ServedModel
from serving.problems import (
    LakeUnavailable,
    ModelRefused,
    StaleFeatures,
)
from spx_assets.scoring.manifest import Calibration
from spx_assets.settings import ModelSettings, ServingSettings
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.serving.homes import BAR, ask, home, model, service, vector

UP_06 = 0.6456563062257954
"""logistic(0.6), the toy model's probability of up for inputs of 0.1 and weights 1, 2, 3."""


def test_an_answer_has_every_field_from_model_bar_and_clock(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    answer = service(settings, vector()).predict(ask())
    assert answer.instrument == "SPX500_USD"
    assert answer.timestamp == BAR
    assert answer.horizon_minutes == 30
    assert answer.expected_return_bp == pytest.approx(0.6, abs=1e-6)
    assert answer.probability == pytest.approx(UP_06, abs=1e-6)
    assert (answer.prediction, answer.confidence) == ("up", answer.probability)
    assert answer.signal_strength == pytest.approx(2 * UP_06 - 1, abs=1e-6)
    assert answer.predicted_price == pytest.approx(6600 * 1.00006, abs=1e-4)
    assert (answer.interval_bp.low, answer.interval_bp.high) == pytest.approx((-11.9, 13.1), abs=1e-6)
    assert answer.interval_bp.level == 0.9
    assert (answer.signal, answer.gate, answer.return_head) == ("buy", "promoted", "ok")
    assert answer.horizon_crosses_close is False
    assert answer.features_used == 3
    assert answer.feature_age_s == 0.0
    assert (answer.model_name, answer.model_version) == ("spx500_h30", made.manifest.version)
    assert answer.model_digest == made.manifest.digest
    assert (answer.skill.log_loss, answer.skill.log_loss_base) == (0.68, 0.69)
    assert 0.0 <= answer.latency_ms < 1000.0


def test_a_likely_fall_is_a_sell_with_the_confidence_of_down(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, weights=(-1.0, -2.0, -3.0))
    answer = service(settings, vector()).predict(ask())
    assert (answer.prediction, answer.signal) == ("down", "sell")
    assert answer.probability == pytest.approx(1 - UP_06, abs=1e-6)
    assert answer.confidence == pytest.approx(UP_06, abs=1e-6)


def test_below_the_threshold_the_signal_is_hold(tmp_path: Path) -> None:
    settings = home(tmp_path, serving=ServingSettings(signal_threshold=0.65))
    model(settings)
    assert service(settings, vector()).predict(ask()).signal == "hold"


def test_a_model_without_an_edge_answers_flagged_and_never_signals(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, weights=(100.0, 100.0, 100.0), verdict="no_edge")
    answer = service(settings, vector()).predict(ask())
    assert answer.confidence > 0.99
    assert (answer.gate, answer.signal, answer.return_head) == ("no_edge", "hold", "no_edge")
    assert answer.skill.log_loss_base == 0.69


def test_a_model_without_an_edge_is_refused_where_the_setting_says_so(tmp_path: Path) -> None:
    settings = home(tmp_path, models=ModelSettings(no_edge="refuse"))
    model(settings, verdict="no_edge")
    with pytest.raises(ModelRefused, match="SPX_MODELS__NO_EDGE=flag"):
        service(settings, vector()).predict(ask())


def test_a_return_head_without_an_edge_is_marked_alone(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    toy.serve(settings.artifacts, made, return_ok=False)
    answer = service(settings, vector()).predict(ask())
    assert (answer.signal, answer.gate, answer.return_head) == ("buy", "promoted", "no_edge")


def test_probabilities_are_calibrated(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, calibration=Calibration(kind="platt", a=0.0, b=0.0))
    answer = service(settings, vector()).predict(ask())
    assert (answer.probability, answer.signal) == (0.5, "hold")


@pytest.mark.parametrize(("minute", "crosses"), [(29, False), (30, True), (59, True)])
def test_a_horizon_past_the_trading_day_is_said_and_never_signals(tmp_path: Path, minute: int, crosses: bool) -> None:
    settings = home(tmp_path)
    model(settings)
    bar = datetime(2025, 10, 15, 20, minute, tzinfo=UTC)  # 16:29 to 16:59 New York
    answer = service(settings, vector(ts=bar)).predict(ask())
    assert answer.horizon_crosses_close is crosses
    assert answer.signal == ("hold" if crosses else "buy")


def test_a_standing_clock_answers_whatever_the_hour(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    for later in (timedelta(days=1), timedelta(days=3), timedelta(days=400)):
        assert service(settings, vector(), now=BAR + later).predict(ask()).feature_age_s == 0.0


def test_a_standing_clock_beyond_the_last_good_bar_is_said(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    assert service(settings, vector(behind_s=120.0), now=BAR + timedelta(days=9)).predict(ask()).feature_age_s == 120.0


def test_without_a_horizon_the_answer_is_for_30_minutes_else_the_shortest(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, name="spx500_h60", horizon_minutes=60, version="20251015T160000Z-0002")
    model(settings, name="spx500_h45", horizon_minutes=45, version="20251015T160000Z-0003")
    assert service(settings, vector()).predict(ask()).horizon_minutes == 45
    model(settings, version="20251015T160000Z-0004")
    assert service(settings, vector()).predict(ask()).horizon_minutes == 30
    assert service(settings, vector()).predict(ask(horizon=60)).model_name == "spx500_h60"


def test_the_same_bar_is_forecast_once_and_a_new_bar_again(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    running = service(settings, vector())
    first, second = running.predict(ask()), running.predict(ask())
    assert first.id != second.id
    assert first.probability == second.probability
    running.vectors.vectors = {"SPX500_USD": vector(value=0.2)}
    assert running.predict(ask()).expected_return_bp == pytest.approx(1.2, abs=1e-6)


def test_health_names_what_is_wrong(tmp_path: Path) -> None:
    settings = home(tmp_path)
    empty = service(settings)
    assert (report(empty).status, report(empty).models_loaded) == ("degraded", 0)
    model(settings)
    assert report(service(settings, vector())).status == "healthy"
    assert report(service(settings)).problems == ["SPX500_USD: has no feature vector yet"]


def test_a_lake_that_stays_unreadable_takes_the_answers_with_it_but_not_those_of_a_stream(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    running = service(settings, vector())
    for _ in range(2):
        running.vectors.refresh({"SPX500_USD": 1})  # there is no lake
    assert running.predict(ask()).features_used == 3
    running.vectors.refresh({"SPX500_USD": 1})
    with pytest.raises(LakeUnavailable, match="no lake at"):
        running.predict(ask())
    running.vectors.put(vector())
    assert running.predict(ask()).features_used == 3
    running.vectors.release()  # nobody knows any more of a newer bar
    with pytest.raises(LakeUnavailable):
        running.predict(ask())


def test_of_an_unreadable_lake_the_remedy_is_told_and_its_statement_logged(caplog: pytest.LogCaptureFixture) -> None:
    said = LakeUnavailable(duckdb.Error("unable to open\n\nLINE 1: SELECT * FROM snapshot")).detail
    assert ("`spx doctor`" in said, "SELECT" in said) == (True, False)
    assert "SELECT * FROM snapshot" in caplog.text


def test_an_unforeseen_failure_is_logged_followed_and_never_passed_off_as_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = home(tmp_path, serving=ServingSettings(poll_s=0.001))
    model(settings)
    running = service(settings, vector())
    broken = [False]

    def look() -> Found:
        if broken[0]:
            raise RuntimeError("the disk sings")
        return Found(running.models.models, {})

    monkeypatch.setattr(running.models, "look", look)
    monkeypatch.setattr(running.vectors, "refresh", lambda _: None)

    async def until(done: Callable[[], bool]) -> None:
        for _ in range(2000):
            if done():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("nothing happened")

    async def scenario() -> None:
        await running.start()
        broken[0] = True
        await until(lambda: report(running).status == "degraded")
        await until(lambda: " 3 refreshes in a row failed: RuntimeError: the disk sings" in report(running).problems[0])
        with pytest.raises(StaleFeatures, match="could not be refreshed"):
            running.predict(ask())
        broken[0] = False
        await until(lambda: report(running).status == "healthy")
        assert running.predict(ask()).features_used == 3
        await running.stop()

    asyncio.run(scenario())
    failures = [record for record in caplog.records if record.exc_info]
    assert len(failures) >= 3
    assert "in look" in caplog.text  # the traceback
    assert running.refresh.pause_s() == 0.001


@pytest.mark.parametrize(("failures", "pause_s"), [(0, 1.0), (1, 2.0), (3, 8.0), (5, 30.0), (1100, 30.0)])
def test_the_pause_after_failures_doubles_to_half_a_minute(tmp_path: Path, failures: int, pause_s: float) -> None:
    running = service(home(tmp_path))
    for _ in range(failures):
        running.refresh.note(RuntimeError("again"))
    assert running.refresh.pause_s() == pause_s


def test_a_version_named_answers_though_another_is_swapped_in_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = home(tmp_path)
    first = model(settings).manifest.version
    running = service(settings, vector())
    served = running.models.models["spx500_h30"]
    model(settings, version="20251016T160000Z-0002")
    named = running.models.named

    def after_a_swap(name: str) -> ServedModel:
        running.models.refresh()
        return named(name)

    monkeypatch.setattr(running.models, "named", after_a_swap)
    found = running.model("SPX500_USD", horizon=None, name=None, version=first)
    assert (found.manifest.version, found) == (first, served)
