"""The embedded newsroom: seeded headlines on the candle simulator's calendar, with a tone that is known.

Belongs here: what a day's articles are, and articles to order. Does not: prices (no article knows any), landing (`news`).

Each trading day is made alone from (seed, day), so a range, its length or what was asked before changes no article. Their
number is Poisson around `per_day`, less on days that close early; their minutes follow the New York day (`_SHAPE`): half of
them fall between 08:00 and 16:30. One in twelve is told again by another source within three hours, in the same words; one in
twenty-five is corrected within an hour, under its own address. A wire sees an article 5 to 90 seconds after its publication.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from spx_assets import calendar
from spx_assets.settings.news import NewsSimulatorSettings
from spx_assets.sources import articles, sessions
from spx_assets.sources.articles import as_json

Kind = Literal["positive", "negative", "neutral"]
KINDS: tuple[Kind, ...] = ("positive", "negative", "neutral")
SHARES = (0.3, 0.3, 0.4)
RETOLD = 1 / 12
CORRECTED = 1 / 25
SOURCES = ("Market Wire", "Capital Daily", "Street Journal", "Ticker News", "Exchange Report", "Morning Ledger")

_COMPANIES = (
    "Alder Energy", "Birch Semiconductor", "Cobalt Software", "Delta Retail", "Elm Health", "Falcon Airlines", "Granite Bank",
    "Harbor Insurance", "Iris Pharma", "Juniper Motors", "Keystone Rail", "Larch Chemicals", "Meridian Media", "Nova Robotics",
    "Orchid Foods", "Pioneer Steel", "Quartz Payments", "Ridge Homebuilders", "Summit Defense", "Tundra Mining",
)  # fmt: skip
_PLACES = ("S&P 500", "Wall Street", "US stocks", "The Nasdaq", "The Dow", "Small caps")
_TOPICS = ("inflation", "payrolls", "retail sales", "factory orders", "consumer confidence", "housing starts", "oil inventories")
# {c} a company, {o} another, {p} an index, {t} a statistic, {n} percent, {m} millions, {b} basis points.
_TEMPLATES: Mapping[Kind, tuple[str, ...]] = {
    "positive": (
        "{c} beats profit estimates and raises outlook as sales jump {n}%",
        "{c} shares surge {n}% after record quarterly earnings of ${m} million",
        "{p} rallies {n}% as {t} data ease recession fears, {c} leads",
        "{c} wins ${m} million contract, analysts upgrade the stock",
        "Strong {t} report lifts {p} {n}%, {c} adds ${m} million in value",
        "{c} boosts dividend by {n}% and announces ${m} million buyback",
        "{p} cheers as Fed signals {b} basis points of rate cuts, {c} up {n}%",
        "{c} gains {n}% on approval of its merger with {o}",
    ),
    "negative": (
        "{c} misses profit estimates and cuts outlook as sales fall {n}%",
        "{c} shares plunge {n}% after a quarterly loss of ${m} million",
        "{p} tumbles {n}% as weak {t} data stoke recession fears, {c} worst hit",
        "{c} loses ${m} million lawsuit, analysts downgrade the stock",
        "Disappointing {t} report drags {p} down {n}%, {c} sheds ${m} million",
        "{c} slashes dividend by {n}% and warns of ${m} million in charges",
        "{p} slumps on fears that Fed will raise rates {b} basis points, {c} off {n}%",
        "{c} sinks {n}% as regulators block its merger with {o}",
    ),
    "neutral": (
        "{c} to report quarterly results next week, {m} million shares outstanding",
        "{c} names new finance chief, effective in {m} days",
        "{p} little changed ahead of {t} data, volume at {m} million",
        "{c} schedules its annual meeting, {m} items on the agenda",
        "Fed officials to speak on {t} this week, {m} economists polled by {c}",
        "{c} and {o} extend supply agreement for {m} months",
        "Treasury to auction ${m} billion of notes on schedule, {c} among {b} dealers",
        "{t} figures due at 08:30, {m} economists polled by {c} see {n}%",
    ),
}
# Articles an hour of the New York day, from 00:00, relative to one another.
_NIGHT, _EVENING = [0.2, 0.2, 0.2, 0.2, 0.4, 0.6, 0.9, 1.6], [1.2, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2]
_SHAPE = np.array([*_NIGHT, 2.6, 3.2, 2.4, 1.8, 1.5, 1.7, 2.2, 3.0, 2.2, *_EVENING])


def generate(settings: NewsSimulatorSettings, start: datetime, end: datetime, *, holidays: Collection[date] = ()) -> pl.DataFrame:
    """Articles first seen in [start, end), in that order, columns ARTICLES: the same for any range that holds them."""
    closed = frozenset(holidays)
    # What is told again may be so after its day has ended.
    day, last = calendar.trading_day(start) - calendar.ONE_DAY, calendar.trading_day(end)
    records: list[dict[str, Any]] = []
    while day <= last:
        records += _day(settings, day, sessions.session_minutes(day, closed))
        day += calendar.ONE_DAY
    inside = sorted((r for r in records if start <= r["first_seen_at"] < end), key=lambda r: (r["first_seen_at"], r["url"]))
    return articles.frame(inside, live=True)


def simulated(
    kind: Kind, count: int, *, at: datetime, title: str | None = None, seed: int = 11, first: int = 0, source: str | None = None
) -> pl.DataFrame:
    """`count` articles of one tone, all first seen at `at`; with `title`, that one in place of the templates.

    `first` numbers them: what was made with the same seed and other numbers tells another story under another address.
    """
    records = []
    for number in range(first, first + count):
        rng = np.random.default_rng([seed % 2**63, zlib.crc32(kind.encode()), number])
        text = _title(rng, kind) if title is None else title if count == 1 else f"{title} ({number - first + 1})"
        record = _record(text, kind, f"ordered-{seed}-{kind}-{number}", at, source or _one(rng, SOURCES))
        records.append({**record, "published_at": at})
    return articles.frame(records, live=True)


def _day(settings: NewsSimulatorSettings, day: date, minutes: int) -> list[dict[str, Any]]:
    """A trading day's articles, those told again and those corrected included."""
    if not minutes:
        return []
    rng = np.random.default_rng([settings.seed % 2**63, zlib.crc32(b"news"), day.toordinal()])
    opening = sessions.session_start(day)
    stamps = np.sort(rng.choice(minutes, size=rng.poisson(settings.per_day * _share(minutes)), p=_weights(minutes)))
    records = []
    for number, minute in enumerate(stamps):
        published = opening + timedelta(minutes=int(minute), seconds=int(rng.integers(60)))
        kind = KINDS[int(np.searchsorted(np.cumsum(SHARES)[:-1], rng.random(), side="right"))]
        title, (source, other) = _title(rng, kind), _two(rng, SOURCES)
        again, corrected, later = rng.random(), rng.random(), int(rng.integers(5, 180))
        seen = published + timedelta(seconds=int(rng.integers(5, 90)))
        name = f"{settings.seed}-{day:%Y%m%d}-{number}"
        records.append({**_record(title, kind, name, seen, source), "published_at": published})
        if again < RETOLD:
            told = published + timedelta(minutes=later)
            records.append({**_record(title, kind, f"{name}-again", told, other), "published_at": told})
        if corrected < CORRECTED:
            record = _record(f"CORRECTED: {title}", kind, name, seen + timedelta(minutes=1 + later // 3), source)
            records.append({**record, "published_at": published})
    return records


def _record(title: str, kind: Kind, name: str, seen: datetime, source: str) -> dict[str, Any]:
    url = f"https://news.example/{source.lower().replace(' ', '-')}/{name}"
    raw = as_json({"title": title, "source": source, "tone": kind, "url": url})
    return {"title": title, "source": source, "url": url, "language": "en", "first_seen_at": seen, "raw": raw}


def _title(rng: np.random.Generator, kind: Kind) -> str:
    company, other = _two(rng, _COMPANIES)
    text = _one(rng, _TEMPLATES[kind]).format(
        c=company,
        o=other,
        p=_one(rng, _PLACES),
        t=_one(rng, _TOPICS),
        n=f"{rng.uniform(0.2, 9.9):.1f}",
        m=int(rng.integers(11, 990)),
        b=int(rng.integers(3, 20)) * 5,
    )
    return text[:1].upper() + text[1:]


def _one(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.integers(len(among)))]


def _two(rng: np.random.Generator, among: Sequence[str]) -> tuple[str, str]:
    """Two different ones."""
    first = int(rng.integers(len(among)))
    return among[first], among[(first + 1 + int(rng.integers(len(among) - 1))) % len(among)]


def _weights(minutes: int) -> NDArray[np.float64]:
    """Of each minute of a session, by the hour of New York in which it lies."""
    weights = _SHAPE[(18 * 60 + np.arange(minutes)) // 60 % 24]
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


@cache
def _share(minutes: int) -> float:
    """How much of a full day's news a session of so many minutes has."""
    full = _SHAPE[(18 * 60 + np.arange(sessions.FULL_MINUTES)) // 60 % 24].sum()
    return float(_SHAPE[(18 * 60 + np.arange(minutes)) // 60 % 24].sum() / full)
