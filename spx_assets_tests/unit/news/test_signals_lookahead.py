"""No signal sees the future: proven for every feature of news in the catalog, and the proof catches planted leaks."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake.windows import Window
from spx_assets.news import signal_weeks
from spx_assets.news.signals import Articles, inputs_at, signals
from spx_assets_tests.unit.features.lookahead import same_bits
from spx_assets_tests.unit.features.market import FrameLake
from spx_assets_tests.unit.news import scored
from spx_assets_tests.unit.news.scored import article

Make = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
WEEKS = calendar.week_range(date(2019, 2, 24), date(2019, 3, 17))  # over New York's change of clocks on 2019-03-10
START, END = calendar.week_window(WEEKS[0])[0], calendar.week_window(WEEKS[-1])[1]
ARTICLES = scored.at_random(START, END, 1200, seed=1)
NAMES = [f.name for f in catalog.family(catalog.NEWS)]


def minutes(start: datetime, end: datetime, *, gaps: float = 0.3, seed: int = 0) -> pl.DataFrame:
    """Bars of [start, end), some minutes without one."""
    ts = pl.datetime_range(start, end, "1m", closed="left", time_unit="us", eager=True).alias("ts")
    kept = ts.filter(pl.Series(np.random.default_rng(seed).random(len(ts)) >= gaps))
    return pl.DataFrame({"instrument": ["SPX500_USD"] * len(kept), "ts": kept}).with_columns(
        trading_day=calendar.trading_day_expr(pl.col("ts"))
    )


def poisoned(articles: pl.DataFrame, cut: datetime, *, seed: int) -> Iterable[pl.DataFrame]:
    """Articles equal up to what was known before `cut` and different from it on."""
    rng = np.random.default_rng(seed)
    past, future = articles.filter(pl.col("known_at") < cut), articles.filter(pl.col("known_at") >= cut)
    yield past
    yield pl.concat([past, future.with_columns(score=-pl.col("score"), title=pl.lit("Poison"), relevance=pl.lit(0.0))])
    yield pl.concat([past, future.with_columns(known_at=pl.col("known_at") + timedelta(hours=5))])
    yield pl.concat([past, future, scored.at_random(cut, cut + timedelta(days=2), 300, seed=seed + 1000)])
    # The past corrected later, and the future told as a story of the past.
    corrected = past.tail(40).with_columns(
        revision=pl.col("revision") + 7, known_at=pl.lit(cut), score=pl.Series(rng.uniform(-1, 1, min(40, past.height)))
    )
    yield pl.concat([past, corrected, future.with_columns(duplicate_of=pl.lit("1-0"))])


def leaks(make: Make, bars: pl.DataFrame, articles: pl.DataFrame, *, cuts: Iterable[datetime]) -> set[str]:
    """Columns of `make` whose value at some bar changes with articles known after it, or with later bars."""
    whole = make(bars, articles)
    found: set[str] = set()
    for k, cut in enumerate(cuts):
        before = bars.filter(pl.col("ts") < cut)
        rows = [make(before, articles), *(make(bars, other).head(before.height) for other in poisoned(articles, cut, seed=k))]
        expected = whole.head(before.height)
        found |= {name for name in whole.columns for other in rows if not other[name].equals(expected[name])}
    return found


DAY = minutes(START + timedelta(days=2), START + timedelta(days=4))
CUTS = [DAY["ts"][int(k)] for k in np.random.default_rng(5).integers(60, DAY.height, 6)]
CUTS += [ARTICLES["known_at"].filter(ARTICLES["known_at"] > DAY["ts"][500])[0], DAY["ts"][800] + timedelta(seconds=30)]


def test_no_signal_changes_with_later_articles_or_bars() -> None:
    def every(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
        return signals(bars, articles).select(*NAMES, "latest_headline", "latest_source")

    assert leaks(every, DAY, ARTICLES, cuts=CUTS) == set()
    made = signals(DAY, ARTICLES)
    assert [name for name in NAMES if made[name].n_unique() < 3] == []  # the proof is of numbers that move


def _counted(bars: pl.DataFrame, known: pl.Series, *, ahead: timedelta) -> pl.DataFrame:
    """Articles of the hour up to `ahead` after each bar's start."""
    ts = bars["ts"].dt.timestamp("us").to_numpy() + ahead // timedelta(microseconds=1)
    at = np.sort(known.dt.timestamp("us").to_numpy())
    hour = 3_600_000_000
    return pl.DataFrame({"leak": np.searchsorted(at, ts, side="right") - np.searchsorted(at, ts - hour, side="right")})


def _of_the_bars_end(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    return _counted(bars, articles["known_at"], ahead=timedelta(minutes=1))


def _of_a_centred_hour(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    return _counted(bars, articles["known_at"], ahead=timedelta(minutes=30))


def _of_publication_for_what_came_late(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    return _counted(bars, articles["known_at"] - timedelta(minutes=2), ahead=timedelta(0))


def _by_the_newest_wording_ever(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    newest = articles.sort("revision").unique("article_id", keep="last")
    first = articles.group_by("article_id").agg(pl.col("known_at").min())
    return signals(bars, newest.drop("known_at").join(first, on="article_id").select(articles.columns)).select(
        leak="avg_sentiment"
    )


def _in_sigma_of_the_whole_sample(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    return signals(bars, articles).select(leak=pl.col("avg_sentiment") / articles["score"].std())


def _filled_from_the_next_article(bars: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    return signals(bars, articles).select(leak=pl.col("avg_sentiment_15").fill_null(strategy="backward"))


@pytest.mark.parametrize(
    "planted",
    [
        _of_the_bars_end,
        _of_a_centred_hour,
        _of_publication_for_what_came_late,
        _by_the_newest_wording_ever,
        _in_sigma_of_the_whole_sample,
        _filled_from_the_next_article,
    ],
)
def test_a_planted_leak_is_caught(planted: Make) -> None:
    assert leaks(planted, DAY, ARTICLES, cuts=CUTS[-3:]) == {"leak"}


T = datetime(2019, 3, 5, 12, tzinfo=UTC)
MOMENTS = st.integers(-4000, 4000)  # seconds around T
ROWS = st.lists(
    st.tuples(MOMENTS, st.integers(0, 5), st.floats(0, 1), st.sampled_from([None, "0", "z"])), min_size=1, max_size=12
)


def rows(told: list[tuple[int, int, float, str | None]], name: str = "") -> list[dict[str, object]]:
    """Articles of few names, so that some are wordings of the same one."""
    counted: dict[str, int] = {}
    made = []
    for second, number, positive, again in sorted(told, key=lambda one: one[0]):
        article_id = f"{name}{number}"
        counted[article_id] = counted.get(article_id, -1) + 1
        made.append(
            article(
                T + timedelta(seconds=second),
                article_id=article_id,
                revision=counted[article_id],
                positive=positive * 0.9,
                negative=(1 - positive) * 0.9,
                duplicate_of=again,
            )
        )
    return made


@settings(max_examples=80, deadline=None)
@given(ROWS, ROWS, MOMENTS)
def test_planting_articles_of_the_future_changes_no_signal_of_the_past(
    told: list[tuple[int, int, float, str | None]], planted: list[tuple[int, int, float, str | None]], at: int
) -> None:
    """Whatever is planted after a moment, corrections of what was known by then included."""
    ts = np.arange(-4000, at, 97, dtype=np.int64) * 1_000_000 + int(T.timestamp()) * 1_000_000
    known = rows(told)
    later = rows([(abs(second) + at, *rest) for second, *rest in planted])
    for one in later:
        one["revision"] = int(str(one["revision"])) + 50
    honest = inputs_at(Articles.from_frame(scored.frame(known)), ts)
    assert same_bits(inputs_at(Articles.from_frame(scored.frame([*known, *later])), ts), honest)


def _window(lake: FrameLake, name: str, weeks: list[date], back: int = 0) -> Window:
    return lake.window(name, weeks, weeks_before=back)


def test_weeks_in_any_order_and_cut_are_the_whole_range_and_the_bars_one_by_one() -> None:
    bars = minutes(START, END, gaps=0.7)
    lake = FrameLake({"bronze.candles": _as_candles(bars), "silver.news_sentiment": ARTICLES})

    def made(weeks: list[date]) -> pl.DataFrame:
        chunks = signal_weeks.by_week(
            _window(lake, "bronze.candles", weeks), _window(lake, "silver.news_sentiment", weeks, back=1)
        )
        return pl.concat([chunk.frame for chunk in chunks])

    whole = made(WEEKS)
    assert whole.height == bars.height
    assert pl.concat([made([week]) for week in reversed(WEEKS)]).sort("ts").equals(whole)
    assert signals(bars, ARTICLES).equals(whole)
    ts = whole["ts"].dt.timestamp("us").to_numpy()
    stored = whole.select([f.name for f in catalog.news_inputs()]).to_numpy()
    articles = Articles.from_frame(ARTICLES)
    for i in (0, 1, *np.random.default_rng(3).integers(0, len(ts), 200)):
        assert same_bits(inputs_at(articles, ts[i : i + 1])[0], stored[i])


def _as_candles(bars: pl.DataFrame) -> pl.DataFrame:
    from spx_assets.lake.tables import CANDLES

    blank = [pl.lit(None, kind).alias(name) for name, kind in CANDLES.schema().items() if name not in bars.columns]
    return bars.with_columns(blank).select(CANDLES.schema().keys())
