"""What the news said at a bar: literal values, which articles count, and nothing from the future."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake.tables import table
from spx_assets.news.signals import Articles, signals
from spx_assets.sources.articles import known_at
from spx_assets_tests.unit.news import scored
from spx_assets_tests.unit.news.scored import article

T = datetime(2019, 5, 2, 14, 58, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bars(*minutes: int, instrument: str = "SPX500_USD") -> pl.DataFrame:
    """Bars that begin so many minutes after T."""
    ts = pl.Series("ts", [T + m * MINUTE for m in minutes], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"instrument": [instrument] * len(minutes), "ts": ts}).with_columns(
        trading_day=calendar.trading_day_expr(pl.col("ts"))
    )


def said(*rows: dict[str, Any], at: tuple[int, ...] = (0,)) -> pl.DataFrame:
    return signals(bars(*at), scored.frame(rows))


def test_one_article_is_said_in_every_signal() -> None:
    one = article(T, positive=0.7, negative=0.1, relevance=0.5, policy_tone=-1.0, polarity=0.25, subjectivity=0.125)
    row = said(one, at=(7,)).drop("instrument", "ts", "trading_day").row(0, named=True)
    hour = {
        "article_count": 1.0,
        "avg_sentiment": 0.6,
        "signal_strength": 0.42,
        "trading_signal": 1.0,
    }
    expected = {
        **hour,
        **{f"{name}_15": value for name, value in hour.items()},
        **{"quality_score": 0.7, "positive_prob": 0.7, "negative_prob": 0.1, "neutral_prob": 0.2},
        **{"relevant_sentiment": 0.21, "avg_relevance": 0.5, "avg_policy_tone": -1.0, "avg_polarity": 0.25},
        **{"avg_subjectivity": 0.125, "novelty": 1.0, "minutes_since_last": 7.0},
    }
    assert (row.pop("latest_headline"), row.pop("latest_source")) == ("Stocks rise", "wire")
    assert row == pytest.approx(expected, abs=1e-6)


def test_means_are_over_articles_and_strength_is_the_size_of_the_mean_times_the_mean_confidence() -> None:
    row = said(
        article(T - 50 * MINUTE, article_id="a", positive=0.9, negative=0.05),
        article(T - 20 * MINUTE, article_id="b", positive=0.1, negative=0.6),
    ).row(0, named=True)
    assert row["avg_sentiment"] == pytest.approx((0.85 - 0.5) / 2)
    assert row["quality_score"] == pytest.approx(0.75)
    assert row["signal_strength"] == pytest.approx(0.175 * 0.75)
    assert (row["article_count"], row["article_count_15"], row["avg_sentiment_15"]) == (2.0, 0.0, None)
    assert row["minutes_since_last"] == 20.0


@pytest.mark.parametrize(
    ("positive", "negative", "signal"),
    [
        (0.7, 0.1, 1.0),  # 0.6 at 0.7: strength 0.42
        (0.1, 0.7, -1.0),
        (0.55, 0.05, 0.0),  # 0.5 at 0.55: strength 0.275
        (0.4, 0.3, 0.0),
    ],
)
def test_the_trading_signal_asks_for_a_strength_above_03(positive: float, negative: float, signal: float) -> None:
    row = said(article(T, positive=positive, negative=negative)).row(0, named=True)
    assert (row["trading_signal"], row["trading_signal_15"]) == (signal, signal)


def test_without_articles_counts_are_zero_and_everything_else_is_unknown() -> None:
    for frame in (said(), said(article(T - 4 * 1440 * MINUTE))):
        row = frame.drop("instrument", "ts", "trading_day").row(0, named=True)
        assert {name for name, value in row.items() if value is not None} == {"article_count", "article_count_15"}
        assert (row["article_count"], row["article_count_15"]) == (0.0, 0.0)
        assert frame.schema == table("gold.news_signals").schema()


def test_an_article_of_1458_is_invisible_to_the_bar_of_1457_and_visible_at_1458() -> None:
    found = said(article(T), at=(-60, -2, -1, 0, 1))
    assert found["article_count"].to_list() == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert found["minutes_since_last"].to_list() == [None, None, None, 0.0, 1.0]
    late = said(article(T + timedelta(seconds=1)), at=(0, 1))  # one second after the bar began
    assert late["article_count"].to_list() == [0.0, 1.0]


def test_windows_end_after_60_and_15_minutes_and_the_last_article_is_remembered_for_three_days() -> None:
    found = said(article(T), at=(14, 15, 59, 60, 4319, 4320))
    assert found["article_count_15"].to_list() == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert found["article_count"].to_list() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert found["minutes_since_last"].to_list() == [14.0, 15.0, 59.0, 60.0, 4319.0, None]


@pytest.mark.parametrize(("day", "first_utc"), [(date(2019, 5, 2), 4), (date(2019, 1, 15), 5)])
def test_an_article_of_a_date_is_invisible_on_that_date_in_utc_and_in_new_york(day: date, first_utc: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    clocks = {"published_at": midnight, "first_seen_at": None, "ingested_at": midnight + timedelta(days=400)}
    times = {name: pl.Datetime("us", "UTC") for name in clocks}
    dated = pl.DataFrame([{**clocks, "time_precision": "day"}], schema={**times, "time_precision": pl.String})
    known = dated.select(known_at(live=False)).item()
    # Its whole date, and the hours in which it is still that date in New York.
    minutes = [int((midnight - T) / MINUTE) + k for k in range(0, 24 * 60 + first_utc * 60)]
    found = signals(bars(*minutes, minutes[-1] + 1), scored.frame([article(known)]))
    assert found["article_count"].to_list() == [0.0] * len(minutes) + [1.0]


def test_a_story_told_again_counts_once_and_makes_the_hour_less_new() -> None:
    again = article(T + MINUTE, article_id="b", positive=0.0, negative=1.0, duplicate_of="a", title="Again")
    found = said(article(T), again, at=(0, 1, 61))
    assert found["article_count"].to_list() == [1.0, 1.0, 0.0]
    assert found["avg_sentiment"].to_list() == pytest.approx([0.6, 0.6, None])
    assert found["novelty"].to_list() == [1.0, 0.5, None]
    assert found["latest_headline"].to_list() == ["Stocks rise", "Stocks rise", None]
    assert found["minutes_since_last"].to_list() == [0.0, 1.0, 61.0]


def test_a_correction_counts_from_when_it_was_known_and_the_first_wording_until_then() -> None:
    corrected = article(T + 30 * MINUTE, revision=1, positive=0.1, negative=0.7, title="Stocks fall")
    found = said(article(T), corrected, at=(0, 29, 30, 60, 89, 90))
    assert found["article_count"].to_list() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert found["avg_sentiment"].to_list() == pytest.approx([0.6, 0.6, -0.6, -0.6, -0.6, None])
    assert found["latest_headline"].to_list() == ["Stocks rise"] * 2 + ["Stocks fall"] * 3 + [None]
    assert found["novelty"].to_list() == [1.0] * 5 + [None]


def test_of_two_corrections_known_at_once_the_later_one_stands() -> None:
    both = [article(T + MINUTE, revision=k, title=f"Wording {k}") for k in (2, 1)]
    found = said(article(T), *both, at=(1,))
    assert (found["article_count"][0], found["latest_headline"][0]) == (1.0, "Wording 2")


def test_a_correction_that_tells_a_story_again_takes_its_article_away() -> None:
    found = said(article(T), article(T + MINUTE, revision=1, duplicate_of="z"), at=(0, 1))
    assert found["article_count"].to_list() == [1.0, 0.0]
    assert found["latest_headline"].to_list() == ["Stocks rise", None]


def test_articles_belong_to_their_instrument() -> None:
    both = pl.concat([bars(0, instrument="EUR_USD"), bars(0)])
    found = signals(both, scored.frame([article(T), article(T, article_id="b", instrument="EUR_USD", title="Euro")]))
    assert found["latest_headline"].to_list() == ["Euro", "Stocks rise"]
    assert found["article_count"].to_list() == [1.0, 1.0]


def test_titles_with_markup_and_control_characters_stay_text() -> None:
    title = "<script>alert('x')</script>\x00\u202e & Co"
    assert said(article(T, title=title))["latest_headline"].to_list() == [title]


def test_every_feature_of_the_family_is_made_and_no_other() -> None:
    from spx_assets.news.signals import at

    made = at(Articles.from_frame(scored.frame([article(T)])), bars(0)["ts"].dt.timestamp("us").to_numpy())
    assert list(made) == [f.name for f in catalog.family(catalog.NEWS)]
