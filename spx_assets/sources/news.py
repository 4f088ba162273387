"""News providers by name: polling one, importing its history or a file.

Belongs here: the order of asking and landing, so that what was killed goes on where it stood. Does not: a provider's protocol
(its module), keeping records (`news_landing`), when to poll (the online job).

What was imported of a provider's history is remembered as ranges in its cursor, for as long as the same is asked of it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from filelock import FileLock, Timeout

from spx_assets.lake.connection import Lake
from spx_assets.sources import alphavantage, bodies, finnhub, gdelt, imports, news_feeds, news_files, news_landing, rss, spent
from spx_assets.sources import news_simulator as newsroom
from spx_assets.sources.articles import Heard
from spx_assets.sources.errors import DownloadBusyError, FeedBoundError, ProviderError, RangeError, UnknownProviderError
from spx_assets.sources.history import Range, missing
from spx_assets.sources.http import Client
from spx_assets.sources.landing import Landing
from spx_assets.sources.news_landing import LandingReport
from spx_assets.sources.rows import UTC_US

FILES = "files"
SIMULATOR = "simulator"
# Lists of the last hour still grow: what was imported of it is asked for again.
SETTLED = timedelta(hours=1)
# Records of a file landed together: a killed import repeats a second of work.
BATCH = 20_000
# A transaction costs 0.1 s and a batch a file: days with few articles are landed together.
GATHER_S, GATHER_ROWS = 30.0, 2_000
Progress = Callable[[int, int], None]


class Provider(Protocol):
    """What a provider's module offers; `settings` are its own."""

    def config(self, settings: Any) -> dict[str, Any]: ...

    def client(self, settings: Any, *, folder: Path) -> Client: ...

    def history(self, http: Client, settings: Any, start: datetime, end: datetime) -> Iterator[Heard]: ...

    def poll(self, http: Client, settings: Any, cursor: Mapping[str, Any], now: datetime) -> Heard: ...


PROVIDERS: dict[str, Provider] = {"gdelt": gdelt, "rss": rss, "alphavantage": alphavantage, "finnhub": finnhub}


def poll(lake: Lake, provider: str, *, now: datetime | None = None, http: Client | None = None) -> LandingReport | None:
    """Hear what a provider has said since its last poll and land it as known from now on; None where its turn has not come.

    `now` is the time of the poll, the wall clock if not given.
    """
    module, settings = _module(provider), getattr(lake.settings.news, provider)
    at = now or datetime.now(UTC)
    config, feed = module.config(settings), news_feeds.feeds(lake).get(provider)
    cursor = feed.cursor if feed is not None and feed.config == config else {}
    if provider == "alphavantage" and feed is not None and feed.live and feed.polled_at is not None:
        # 25 calls are one an hour, and the online job comes every 15 minutes; a minute for the job to start in.
        due = feed.polled_at + alphavantage.every(settings) - timedelta(minutes=1)
        if feed.config == config and at < due:
            return None
    with spent.counted(lake.settings.home), http or module.client(settings, folder=_cache(lake)) as client:
        heard = module.poll(client, settings, cursor, at)
    rows = heard.rows
    if lake.settings.news.bodies:
        rows = news_landing.fresh(lake, provider, rows)
        rows = bodies.with_bodies(rows, bodies.Pages(timeout_s=lake.settings.news.rss.timeout_s))
    # Records are known from when the home has them: after the last answer, not before the first.
    heard_at = now or datetime.now(UTC)
    return news_landing.land(
        lake,
        provider,
        rows,
        name=heard.name,
        cursor=heard.cursor,
        live=True,
        config=config,
        now=heard_at,
        troubles=heard.troubles,
    )


def download(
    lake: Lake,
    provider: str,
    start: datetime,
    end: datetime,
    *,
    progress: Progress | None = None,
    http: Client | None = None,
    now: datetime | None = None,
) -> LandingReport:
    """Import the parts of [start, end) of a provider's history that were not imported before, as a dated archive.

    Every half minute what came is landed with the range it covers, also before an error goes on. `progress(done, total)` counts
    minutes. RangeError for an empty range, DownloadBusyError if another process imports from the same provider.
    """
    module, settings = _module(provider), getattr(lake.settings.news, provider)
    at = now or datetime.now(UTC)
    until = min(end, at)
    if start >= until:
        span = f"{start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
        raise RangeError(f"no news to import from {span}; --from must be before --to and now")
    imports.check_start(lake.settings, start, f"--from {start:%Y-%m-%d}: the articles")
    reports: list[LandingReport] = []
    counted = spent.counted(lake.settings.home)
    with _alone(lake, provider), counted, http or module.client(settings, folder=_cache(lake)) as client:
        config, feed = module.config(settings), news_feeds.feeds(lake).get(provider)
        held = _covered(feed.cursor) if feed is not None and feed.config == config else []
        gaps = missing(held, start, until)
        total, done = sum(_minutes(*gap) for gap in gaps), 0
        for gap in gaps:
            for heard in _gathered(module.history(client, settings, *gap)):
                settled = min(heard.until, max(gap[0], at - SETTLED)) if heard.until else gap[0]
                held = merged([*held, (gap[0], settled)])
                reports.append(
                    news_landing.land(
                        lake,
                        provider,
                        heard.rows,
                        name=heard.name,
                        cursor={"covered": [[first.isoformat(), last.isoformat()] for first, last in held]},
                        config=config,
                        now=now,
                        troubles=heard.troubles,
                    )
                )
                if progress:
                    progress(done + _minutes(gap[0], heard.until or gap[1]), total)
            done += _minutes(*gap)
    if progress:
        progress(total, total)
    return news_landing.together(provider, f"{start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}", reports)


def import_file(
    lake: Lake,
    path: Path,
    *,
    provider: str = FILES,
    columns: Mapping[str, str] | None = None,
    tz: str | None = None,
    progress: Progress | None = None,
    seen: datetime | None = None,
    now: datetime | None = None,
) -> LandingReport:
    """Import a file of articles as a dated archive. `progress(done, total)` counts records.

    `seen` is when the file came to a live market: none of its records is known earlier, whatever it says.
    """
    rows = news_files.read(path, columns=columns, tz=tz)
    if seen is not None:
        rows = rows.with_columns(pl.max_horizontal("first_seen_at", pl.lit(seen, UTC_US)))
    # In order of time: of two wordings of one article in different batches the earlier one has to come first.
    rows = rows.sort("published_at", maintain_order=True, nulls_last=True)
    reports = []
    for first in range(0, max(rows.height, 1), BATCH):
        part = rows.slice(first, BATCH)
        reports.append(news_landing.land(lake, provider, part, name=path.name, now=now))
        if progress:
            progress(first + part.height, rows.height)
    return news_landing.together(provider, path.name, reports)


def import_simulated(lake: Lake, start: datetime, end: datetime, *, now: datetime | None = None) -> LandingReport:
    """Land what the newsroom of the home's settings published in [start, end), known from when a wire saw it.

    FeedBoundError in a home with articles of another newsroom: two of them would be told at once.
    """
    settings = lake.settings.news.simulator
    feed = news_feeds.feeds(lake).get(SIMULATOR)
    if feed is not None and feed.config and feed.config != settings.model_dump():
        held = ", ".join(f"SPX_NEWS__SIMULATOR__{name.upper()}={value}" for name, value in feed.config.items())
        raise FeedBoundError(f"this home has simulated news of another newsroom; set {held}, or SPX_HOME to another folder")
    rows = newsroom.generate(settings, start, end, holidays=lake.settings.calendar.holidays)
    name = f"{SIMULATOR} {start:%Y-%m-%dT%H:%M} {end:%Y-%m-%dT%H:%M}"
    return news_landing.land(lake, SIMULATOR, rows, name=name, config=settings.model_dump(), now=now)


def merged(ranges: Sequence[Range]) -> list[Range]:
    """The ranges in order, those that touch or overlap made one."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        elif first < last:
            joined.append((first, last))
    return joined


def _gathered(answers: Iterator[Heard]) -> Iterator[Heard]:
    """The answers, those of half a minute or of 2,000 records as one; if the provider fails, what it had said comes first."""
    held: list[Heard] = []
    since = time.monotonic()
    try:
        for heard in answers:
            held.append(heard)
            if time.monotonic() - since > GATHER_S or sum(each.rows.height for each in held) >= GATHER_ROWS:
                yield _joined(held)
                held, since = [], time.monotonic()
    except ProviderError:
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(answers: Sequence[Heard]) -> Heard:
    return replace(
        answers[-1],
        name=answers[0].name if len(answers) == 1 else f"{answers[0].name} to {answers[-1].name}",
        rows=pl.concat([heard.rows for heard in answers]),
        troubles=tuple(trouble for heard in answers for trouble in heard.troubles),
    )


def _module(provider: str) -> Provider:
    if provider not in PROVIDERS:
        raise UnknownProviderError(f"news provider {provider!r} is unknown; use one of {', '.join(PROVIDERS)}")
    return PROVIDERS[provider]


def _cache(lake: Lake) -> Path:
    return lake.settings.home / "cache"


def _covered(cursor: Mapping[str, Any]) -> list[Range]:
    return [(datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in cursor.get("covered", [])]


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start) / timedelta(minutes=1))


@contextmanager
def _alone(lake: Lake, provider: str) -> Iterator[None]:
    lock = FileLock(Landing(lake.settings.landing).partial("locks", f"news-{provider}") / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise DownloadBusyError(
            f"another import of {provider} news is under way in this home; wait until it ends, then ask again: what it has "
            "landed is not fetched twice"
        ) from error
    try:
        yield
    finally:
        lock.release()
