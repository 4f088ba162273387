"""When there is no answer: state of feed, news, inputs and model, each with its own problem."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from serving import operations
from serving.health import report
from serving.problems import (
    BadArtifact,
    LakeUnavailable,
    MarketClosed,
    NoModel,
    Problem,
    StaleFeatures,
    StaleNews,
    UnknownHorizon,
    UnknownInstrument,
    UnknownModel,
    WarmingUp,
)
from spx_assets.settings import CalendarSettings
from spx_assets_tests.unit.serving.homes import BAR, FEATURES, ask, home, model, service, vector


def test_a_live_bar_ages_until_it_is_stale(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    end = BAR + timedelta(minutes=1)
    fresh = service(settings, vector(), live=True, now=end + timedelta(seconds=300)).predict(ask())
    assert fresh.feature_age_s == 300.0
    with pytest.raises(StaleFeatures, match="ended 301 s ago"):
        service(settings, vector(), live=True, now=end + timedelta(seconds=301)).predict(ask())


NEWS = ("avg_sentiment", "article_count", "novelty")


@pytest.mark.parametrize(
    ("features", "live", "heard_h_ago", "said"),
    [
        (NEWS, True, 2.0, None),
        (NEWS, True, 2.001, r"the news provider gdelt was last heard at 2025-10-15T13:59:56Z, SPX_NEWS__MAX_POLL_AGE_S is 7200"),
        (NEWS, False, 900.0, None),  # beside a standing feed the news stand still as well
        (FEATURES, True, 900.0, None),  # it learned from prices alone
    ],
)
def test_news_that_nobody_asked_for_in_two_hours_are_stale_for_who_learned_from_them(
    tmp_path: Path, features: tuple[str, ...], live: bool, heard_h_ago: float, said: str | None
) -> None:
    settings = home(tmp_path)
    model(settings, features=features)
    now = BAR + timedelta(minutes=1)
    running = service(settings, vector(), live=live, now=now)
    running.vectors.polled = {"rss": now, "gdelt": now - timedelta(hours=heard_h_ago)}
    if said is None:
        assert running.predict(ask()).features_used == 3
        assert report(running).status == "healthy"
        return
    with pytest.raises(StaleNews, match=said):
        running.predict(ask())
    assert [problem[:29] for problem in report(running).problems] == ["SPX500_USD: the news provider"]


def test_a_home_that_polls_no_news_provider_has_no_stale_news(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, features=NEWS)
    assert service(settings, vector(), live=True).predict(ask()).features_used == 3


def test_articles_that_are_landed_and_not_scored_are_waited_for_whatever_the_clock(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, features=NEWS)
    behind = dataclasses.replace(vector(), news="articles were landed and not scored since")
    with pytest.raises(StaleNews, match="landed and not scored"):
        service(settings, behind).predict(ask())
    model(settings, version="20251015T160000Z-0009")
    assert service(settings, behind).predict(ask()).features_used == 3


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2025, 10, 17, 21, 0, tzinfo=UTC), datetime(2025, 10, 19, 21, 0, tzinfo=UTC)),  # Friday 17:00 New York
        (datetime(2025, 10, 19, 20, 59, tzinfo=UTC), datetime(2025, 10, 19, 21, 0, tzinfo=UTC)),
        (datetime(2025, 11, 1, 12, 0, tzinfo=UTC), datetime(2025, 11, 2, 22, 0, tzinfo=UTC)),  # the clock changes on that Sunday
    ],
)
def test_a_live_feed_is_closed_over_the_weekend(tmp_path: Path, now: datetime, opens: datetime) -> None:
    settings = home(tmp_path)
    model(settings)
    with pytest.raises(MarketClosed) as caught:
        service(settings, vector(), live=True, now=now).predict(ask())
    assert caught.value.next_open == opens


def test_a_live_feed_is_closed_on_a_holiday_of_the_settings(tmp_path: Path) -> None:
    settings = home(tmp_path, calendar=CalendarSettings(holidays=[date(2025, 12, 25)]))
    model(settings)
    with pytest.raises(MarketClosed) as caught:
        service(settings, vector(), live=True, now=datetime(2025, 12, 25, 15, tzinfo=UTC)).predict(ask())
    assert caught.value.next_open == datetime(2025, 12, 25, 22, tzinfo=UTC)


def test_a_missing_required_input_is_named(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, required=(FEATURES[1],))
    with pytest.raises(WarmingUp) as caught:
        service(settings, vector(value=float("nan"))).predict(ask())
    assert caught.value.missing == [FEATURES[1]]


def test_of_two_forecasters_the_one_that_cannot_answer_is_told_with_its_reason(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, required=(FEATURES[1],))
    model(settings, name="spx500_h60", horizon_minutes=60, version="20251015T160000Z-0002")
    running = service(settings, vector(value=float("nan")))
    told = operations.state(running, told=True)
    assert told.status == "degraded"
    assert [words[:57] for words in told.problems] == ["warming_up: SPX500_USD at 2025-10-15T15:59Z lacks 1 input"]
    assert operations.state(running, told=False).problems == ["warming_up"]


def test_an_instrument_without_bars_is_warming_up_and_without_a_lake_unavailable(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    with pytest.raises(WarmingUp, match="no bars in the lake"):
        service(settings).predict(ask())
    with pytest.raises(WarmingUp, match="no feed"):
        service(settings, bound=()).predict(ask())
    broken = service(settings, bound=())
    broken.vectors.unreadable = "no lake"
    with pytest.raises(LakeUnavailable, match="no lake"):
        broken.predict(ask())


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (ask("EUR_USD"), UnknownInstrument),
        (ask(horizon=45), UnknownHorizon),
        (ask(horizon=60), NoModel),
        (ask(name="spx500_h60"), NoModel),
        (ask(name="other_h30"), UnknownModel),
        (ask(name="spx500_h30", horizon=60), UnknownHorizon),
        (ask("EUR_USD", horizon=45), UnknownHorizon),
        (ask("EUR_USD", name="other_h30"), UnknownInstrument),
    ],
)
def test_a_request_nobody_can_answer_is_refused_in_the_documented_order(
    tmp_path: Path, request_: object, problem: type[Problem]
) -> None:
    settings = home(tmp_path)
    model(settings)
    with pytest.raises(problem):
        service(settings, vector()).predict(request_)  # type: ignore[arg-type]


def test_a_bound_instrument_outside_every_scope_has_no_model_and_is_never_forecast_by_another(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    both = service(settings, vector(), vector("EUR_USD"), bound=("SPX500_USD", "EUR_USD"))
    with pytest.raises(NoModel):
        both.predict(ask("EUR_USD"))
    with pytest.raises(UnknownInstrument, match="forecasts SPX500_USD, not EUR_USD"):
        both.predict(ask("EUR_USD", name="spx500_h30"))


def test_a_bar_of_a_market_bound_anew_is_not_told_by_a_model_of_the_former(tmp_path: Path) -> None:
    """The bar may be there a moment before the models are looked at."""
    settings = home(tmp_path)
    model(settings, feeds={"SPX500_USD": "simulator"})
    assert service(settings, dataclasses.replace(vector(), binding="simulator")).predict(ask())
    with pytest.raises(BadArtifact, match="a feed of SPX500_USD that another has replaced since"):
        service(settings, dataclasses.replace(vector(), binding="files")).predict(ask())
