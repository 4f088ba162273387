"""One round of the online job: every live news provider heard, and the drop folder emptied into the landing folder.

Belongs here: the order of a round, and what of it failed. Does not: asking one provider (`news`), the folder (`news_drop`), when
rounds come (`automation`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from spx_assets import SpxError, calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.errors import HistoryStartError
from spx_assets.sources import bindings, news, news_drop, news_feeds
from spx_assets.sources.errors import ColumnsError, FileAccessError, FileUnreadableError
from spx_assets.sources.news_landing import LandingReport

DROP = "drop folder"
# What a file may do to its reader: say too little, be damaged, be nested deeper than any article, be older than the home.
_UNREADABLE = (FileUnreadableError, ColumnsError, RecursionError, HistoryStartError)


class NewsPollError(SpxError):
    """A round heard nothing, and some provider should have been heard."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was heard, and by provider or file why it was not."""

    reports: tuple[LandingReport, ...]
    failures: Mapping[str, str]

    @property
    def landed(self) -> int:
        """Articles that are new to the home."""
        return sum(report.landed for report in self.reports)

    @property
    def weeks(self) -> list[date]:
        """The first and the last trading week in which some of them are known; empty if none is new."""
        ends = [at for report in self.reports for at in (report.first_known_at, report.last_known_at) if at is not None]
        return [calendar.week_of(min(ends)), calendar.week_of(max(ends))] if ends else []


def poll(lake: Lake, *, now: datetime | None = None) -> Round:
    """Take in the drop folder, then hear each provider of `settings.news.live`; a failure of one keeps no other from it.

    A provider heard within `settings.news.poll_pause_s` is left alone: retries and runs for dropped files come soon after one
    another. NewsPollError where something failed and nothing was heard; not where a dropped file was refused, which is put away
    then: a retry of the round would not find it, and nobody would be told.
    """
    reports: list[LandingReport] = []
    failures: dict[str, str] = {}
    try:
        _take(lake, reports, failures, now=now)
    except SpxError as error:
        failures[DROP] = str(error)
    heard = len(reports)
    for provider in lake.settings.news.live:
        try:
            if _lately(lake, provider, now or datetime.now(UTC)):
                heard += 1
            elif (report := news.poll(lake, provider, now=now)) is None:
                # Its turn has not come: it was heard when it last had one.
                heard += 1
            else:
                reports.append(report)
                failures |= {f"{provider} {k}": trouble for k, trouble in enumerate(report.troubles, 1)}
        except SpxError as error:
            failures[provider] = str(error)
    if failures and not heard and not reports and not failures.keys() - {DROP, *lake.settings.news.live}:
        raise NewsPollError("; ".join(f"{name}: {why}" for name, why in failures.items()))
    return Round(reports=tuple(reports), failures=failures)


def current_week(lake: Lake, *, now: datetime | None = None) -> date:
    """The trading week by the clock of the feeds: of the wall's where one is live, or none bound; else of the last bar."""
    bound = bindings.feeds(lake).values()
    if not bound or any(feed.live for feed in bound):
        return calendar.week_of(now or datetime.now(UTC))
    return calendar.week_of(max(feed.end for feed in bound) - calendar.ONE_MINUTE)


def _lately(lake: Lake, provider: str, now: datetime) -> bool:
    feed = news_feeds.feeds(lake).get(provider)
    if feed is None or not feed.live or feed.polled_at is None:
        return False
    return now - feed.polled_at < timedelta(seconds=lake.settings.news.poll_pause_s)


def _take(lake: Lake, reports: list[LandingReport], failures: dict[str, str], *, now: datetime | None) -> None:
    """Land every file that waits. A damaged one is put away with the reason and counts as a failure.

    One that could not be opened or read to its end stays and is a failure of this round.
    """
    at = news_drop.folder(lake.settings)
    if not news_drop.waiting(at):
        return
    # On a live market a file is known from when it came, whatever it says of its articles' clocks.
    live = any(feed.live for feed in bindings.feeds(lake).values())
    with news_drop.taking(at) as files:
        for path in files:
            try:
                seen = (now or datetime.now(UTC)) if live else None
                reports.append(news.import_file(lake, path, provider=news_drop.provider(path), seen=seen, now=now))
            except FileAccessError as error:
                # Too many open files, a failing disk, permissions: the file may be whole, and the next round may read it.
                failures[path.name] = str(error)
            except _UNREADABLE as error:
                failures[path.name] = str(error)
                news_drop.refuse(path, str(error))
            else:
                news_drop.taken(path)
