"""What the news said at each bar: from scored articles to the features of the family `news`.

Belongs here: which articles count at a bar, and sums over them. Does not: scores and relevance of an article, weeks and the
lake (`signal_weeks`), the declarations (`features.definitions.news`).

At a bar that begins at t an article counts if it was known in (t - minutes, t], in its newest wording known by t, and not if it
tells again what another told before. A corrected wording counts from when it was known; from then on the older one does not.

Each window is summed on its own, article after article in order of (known_at, article_id, revision): `bincount` adds one number
at a time, so a sum is the same to the bit in a whole week and at one bar. Differences of running sums, or numpy's sums by
pairs, would depend on what lies around. A window changes only where an article enters or leaves it, so 29,000 headlines beside
464,000 bars take 0.2 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets.features import catalog
from spx_assets.features.bars import stamps
from spx_assets.features.compute import stored
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.features.market_time import MINUTE_US
from spx_assets.lake.news_tables import NEWS_SENTIMENT, news_signals

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

SENTIMENT, STRENGTH = 0.2, 0.3
"""The trading signal is not 0 where the mean sentiment is beyond the one and its strength above the other."""
HOUR, QUARTER = 60, 15
MEANS: Mapping[str, str] = {
    "avg_sentiment": "score",
    "quality_score": "confidence",
    "positive_prob": "positive",
    "negative_prob": "negative",
    "neutral_prob": "neutral",
    "relevant_sentiment": "relevant",
    "avg_relevance": "relevance",
    "avg_policy_tone": "policy_tone",
    "avg_polarity": "polarity",
    "avg_subjectivity": "subjectivity",
}
"""Features that are means over the hour, and of what."""
_SENTIMENT, _QUALITY = tuple(MEANS).index("avg_sentiment"), tuple(MEANS).index("quality_score")
_SCORED = ("score", "confidence", "positive", "negative", "neutral", "relevance", "policy_tone", "polarity", "subjectivity")
COLUMNS = ("instrument", "article_id", "revision", "known_at", "source", "title", "duplicate_of", *_SCORED)
"""What is read of `silver.news_sentiment`."""
BAR = ("instrument", "ts", "trading_day")
"""What is read of the bars."""
_SAID = (*MEANS, "article_count", "signal_strength", "trading_signal", "novelty")
_MADE = (*_SAID, *(f"{name}_15" for name in _SAID), "minutes_since_last")
LATEST_US = LATEST_DAYS * 1440 * MINUTE_US
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Articles:
    """Scored articles about one instrument in order of (known_at, article_id, revision), each array of the same length."""

    known_at: I64
    """Microseconds since 1970."""
    replaced: I64
    """Row of the next wording of the same article; beyond all rows where there is none."""
    first: npt.NDArray[np.bool_]
    """False for an article that tells again what another told before."""
    newest_first: I64
    """Row of the newest first telling among the first k rows, for k from 0 to all of them; -1 where there is none."""
    values: F64
    """What MEANS are means of, in its order, [k, n]."""
    title: pl.Series
    source: pl.Series

    @cached_property
    def memo(self) -> dict[tuple[int, ...], F64]:
        """What the articles say that count at the newest single bar that was asked about, by which these are."""
        return {}

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Articles":
        """Articles of rows of `silver.news_sentiment` about one instrument, in any order."""
        frame = frame.sort("known_at", "article_id", "revision")
        wordings = frame.select("article_id", "revision").with_row_index("row").sort("article_id", "revision")
        following = pl.col("row").cast(pl.Int64).shift(-1).cum_min(reverse=True).over("article_id").fill_null(_NEVER)
        replaced = wordings.with_columns(following.alias("replaced")).sort("row")["replaced"]
        first = frame["duplicate_of"].is_null().to_numpy()
        values = {name: frame[name].to_numpy() for name in _SCORED}
        values["relevant"] = values["score"] * values["relevance"] * values["confidence"]
        return cls(
            known_at=stamps(frame.select(ts="known_at")),
            replaced=replaced.to_numpy(),
            first=first,
            newest_first=np.maximum.accumulate(np.append(-1, np.where(first, np.arange(len(first)), -1))),
            values=np.array([values[of] for of in MEANS.values()]),
            title=frame["title"],
            source=frame["source"],
        )


@cache
def nothing() -> Articles:
    """No articles: what a home without news has."""
    return Articles.from_frame(NEWS_SENTIMENT.empty())


def signals(bars: pl.DataFrame, sentiment: pl.DataFrame) -> pl.DataFrame:
    """Rows of `gold.news_signals` for bars of the columns BAR, ordered by instrument and ts.

    `sentiment` are rows of `silver.news_sentiment` that were known in the three days before the bars or later: what is later
    than a bar does not change its row.
    """
    contract = news_signals()
    parts = [contract.empty()]
    for own in bars.partition_by("instrument", maintain_order=True):
        about = sentiment.filter(pl.col("instrument") == own["instrument"][0])
        parts.append(_rows(own, Articles.from_frame(about)).select(contract.schema().keys()))
    return pl.concat(parts)


def _rows(bars: pl.DataFrame, articles: Articles) -> pl.DataFrame:
    ts = stamps(bars)
    made = at(articles, ts)
    newest = pl.Series(newest_of_the_hour(articles, ts))
    newest = newest.set(newest < 0, None)
    return bars.select(BAR).with_columns(
        *(pl.Series(f.name, stored(f, made[f.name]), nan_to_null=True) for f in catalog.family(catalog.NEWS)),
        articles.title.gather(newest).alias("latest_headline"),
        articles.source.gather(newest).alias("latest_source"),
    )


def inputs_at(articles: Articles, ts: I64) -> F32:
    """Model inputs [n, k] of the family at bars that begin at `ts`, in catalog order, NaN where null: as the lake has them."""
    values = _made(articles, ts)[_rows_of_inputs()].T.astype(np.float32)
    values[np.isnan(values)] = np.nan  # 0 / 0 is a NaN of another sign
    return values


def at(articles: Articles, ts: I64) -> dict[str, F64]:
    """Every feature of the family at bars that begin at `ts` (microseconds since 1970, ascending), NaN where not known."""
    made = _made(articles, ts)
    return {f.name: made[_MADE.index(f.name)] for f in catalog.family(catalog.NEWS)}


def _made(articles: Articles, ts: I64) -> F64:
    """Values [k, n] of what is named in _MADE, at n bars."""
    known = np.searchsorted(articles.known_at, ts, side="right")
    begins = _begins(articles, ts, HOUR, QUARTER)
    said = _remembered(articles, known, begins) if len(ts) == 1 else _said(articles, known, begins)
    return np.concatenate((said, _since_last(articles, ts, known)[None]))


def _remembered(articles: Articles, known: I64, begins: I64) -> F64:
    """`_said` at one bar, kept for the bars after it, most of which see the same articles."""
    seen = (int(known[0]), *begins[:, 0].tolist())
    said = articles.memo.get(seen)
    if said is None:
        said = _said(articles, known, begins)
        articles.memo.clear()
        articles.memo[seen] = said
    return said


def _said(articles: Articles, known: I64, begins: I64) -> F64:
    """Values [k, n] of what is named in _SAID, of the hour and of the quarter of an hour."""
    window = _Window.of(articles, known, begins)
    with np.errstate(invalid="ignore"):
        means = window.means(articles.values)
        sentiment, quality = means[_SENTIMENT], means[_QUALITY]
        strength = np.abs(sentiment) * quality
        strong = strength > STRENGTH
        signal = np.where(strong & (sentiment > SENTIMENT), 1.0, np.where(strong & (sentiment < -SENTIMENT), -1.0, 0.0))
        signal[window.count == 0] = np.nan
        novelty = window.count / window.told
    said = np.concatenate((means, (window.count, strength, signal, novelty)))
    return np.concatenate([said[:, group] for group in window.of_bar])


@cache
def _rows_of_inputs() -> I64:
    return np.array([_MADE.index(f.name) for f in catalog.news_inputs()])


def newest_of_the_hour(articles: Articles, ts: I64) -> I64:
    """Row of the newest article that counts at each bar; -1 where none does."""
    known = np.searchsorted(articles.known_at, ts, side="right")
    hour = _Window.of(articles, known, _begins(articles, ts, HOUR))
    newest = np.full(len(hour.count), -1)
    newest[hour.group] = hour.row  # in order of time: the last one stays
    found: I64 = newest[hour.of_bar[0]]
    return found


def _begins(articles: Articles, ts: I64, *minutes: int) -> I64:
    """Row of the first article in the windows of each bar, a row a length of windows."""
    starts = ts - np.array(minutes)[:, None] * MINUTE_US
    return np.asarray(np.searchsorted(articles.known_at, starts, side="right"))


@dataclass(frozen=True, eq=False)
class _Window:
    """The articles that count in windows of each bar; where bars see the same ones they are one group."""

    of_bar: I64
    """Group of each bar, a row a length of windows."""
    group: I64
    """Group by group each article that counts in it, in order: the group ..."""
    row: I64
    """... and the article."""
    count: I64
    """Articles that count, by group."""
    told: I64
    """The same with those that tell a story again."""

    @classmethod
    def of(cls, articles: Articles, known: I64, begins: I64) -> "_Window":
        """`known`: how many articles were known by each bar. It and where a window begins say which of them count."""
        windows = len(begins)
        begins, ends = begins.ravel(), np.tile(known, windows)
        new = np.ones(len(begins), dtype=bool)
        new[1:] = (begins[1:] != begins[:-1]) | (ends[1:] != ends[:-1])
        begins, ends = begins[new], ends[new]
        sizes = ends - begins
        group = np.repeat(np.arange(len(sizes)), sizes)
        row = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes - begins, sizes)
        stands = articles.replaced[row] >= ends[group]
        told = np.bincount(group[stands], minlength=len(sizes))
        stands &= articles.first[row]
        group, row = group[stands], row[stands]
        of_bar = (np.cumsum(new) - 1).reshape(windows, -1)
        return cls(of_bar, group, row, np.bincount(group, minlength=len(sizes)), told)

    def means(self, values: F64) -> F64:
        """Means of values [k, n] of articles over those of each group, [k, groups]; NaN where there are none."""
        rows, groups = len(values), len(self.count)
        # One call for all: `bincount` adds article after article to each mean, however many there are beside it.
        place = np.arange(rows)[:, None] * groups + self.group
        sums = np.bincount(place.ravel(), values[:, self.row].ravel(), minlength=rows * groups)
        return np.asarray(sums.reshape(rows, groups) / self.count)


def _since_last(articles: Articles, ts: I64, known: I64) -> F64:
    """Minutes since the newest first telling, NaN where it is older than three days."""
    out = np.full(len(ts), np.nan)
    newest = articles.newest_first[known]
    found = np.flatnonzero(newest >= 0)
    age = ts[found] - articles.known_at[newest[found]]
    within = age < LATEST_US
    out[found[within]] = age[within] / MINUTE_US
    return out
