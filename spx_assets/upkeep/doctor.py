"""What an operator should know of a home: where its disk space goes, and what is wrong, each with what to do.

Belongs here: checks that need no Dagster, the table of usage. Does not: Dagster's part (`automation.health`), printing.
"""

import os
import platform
import re
import shutil
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import polars as pl

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.lake.errors import LakeError, LakeMissingError
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.settings import Settings
from spx_assets.sources import feeds

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
FREE_BYTES = 2_000_000_000
"""What a training and a compaction may need for a while."""
AHEAD = timedelta(minutes=1)
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is empty where nothing is wrong."""

    check: str
    found: str
    remedy: str = ""

    @property
    def wrong(self) -> bool:
        return bool(self.remedy)


def usage(settings: Settings) -> pl.DataFrame:
    """Files and bytes of each part of the home, the largest first; the lake's data by layer."""
    files, size = Counter[str](), Counter[str]()
    for folder, _, names in os.walk(settings.home):
        for name in names:
            path = Path(folder, name)
            parts = path.relative_to(settings.home).parts
            part = "/".join(parts[: 3 if parts[:2] == ("lake", "data") and len(parts) > 3 else 1])
            try:
                size[part] += path.lstat().st_size
            except FileNotFoundError:
                continue  # gone since it was listed
            files[part] += 1
    rows = [(part, files[part], round(number / 1e6, 1)) for part, number in size.most_common()]
    rows.append(("all", files.total(), round(size.total() / 1e6, 1)))
    return pl.DataFrame(rows, schema={"part": pl.String, "files": pl.Int64, "megabytes": pl.Float64}, orient="row")


def examine(settings: Settings, *, now: datetime | None = None) -> list[Finding]:
    """Every check in order; those of the lake only where it can be opened."""
    at = now or datetime.now(UTC)
    found = [_python(), versions(), _zones(), disk(settings)]
    try:
        lake = Lake.open(settings, read_only=True)
        found.append(Finding("lake", f"snapshot {lake.snapshot()} of {lake.location.name}"))
    except LakeMissingError as error:
        return [*found, Finding("lake", "none", str(error)), *_services(settings)]
    except LakeError as error:
        return [*found, Finding("lake", "cannot be opened", str(error)), *_services(settings)]
    return [*found, clock(lake, now=at), days(lake, now=at), alerts(lake, settings, now=at), *_services(settings)]


def _python() -> Finding:
    have = platform.python_version()
    return Finding(
        "python", have, "" if have.startswith("3.11.") else "the platform is pinned for Python 3.11: make .venv with it"
    )


def versions(constraints: Path = CONSTRAINTS) -> Finding:
    """Whether what is installed is what was pinned."""
    if not constraints.is_file():
        return Finding("versions", "no constraints.txt beside the package to compare with")
    wrong, count = [], 0
    for name, wanted in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", constraints.read_text(), flags=re.MULTILINE):
        try:
            have = _version(name)
        except metadata.PackageNotFoundError:
            continue  # of an extra that is not installed
        count += 1
        # A local part names the build: 2.13.0+cpu is 2.13.0.
        wrong += [f"{name} {have}, pinned {wanted}"] if have.split("+")[0] != wanted.split("+")[0] else []
    if not wrong:
        return Finding("versions", f"{count} packages as pinned")
    shown = "; ".join(wrong[:5]) + ("; ..." if len(wrong) > 5 else "")
    return Finding("versions", shown, "install them again: make install-all")


def _version(package: str) -> str:
    """Its installed version. `metadata.version` parses the whole of its description as a mail: 3 ms of CPU, 0.4 s for all."""
    told = metadata.distribution(package).read_text("METADATA") or ""
    found = re.search(r"^Version: (\S+)", told, flags=re.MULTILINE)
    return found.group(1) if found else metadata.version(package)


def _zones() -> Finding:
    """New York's clock changes as it should: without it every trading day would be an hour off."""
    try:
        summer = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/New_York")).hour
        winter = datetime(2026, 1, 5, 12, tzinfo=UTC).astimezone(ZoneInfo("America/New_York")).hour
    except ZoneInfoNotFoundError:
        return Finding("time zones", "America/New_York is not known", "install time zones: pip install -c constraints.txt tzdata")
    right = (summer, winter) == (8, 7)
    return Finding("time zones", "New York keeps summer and winter time", "" if right else "the machine's zone data are wrong")


def disk(settings: Settings) -> Finding:
    """Free space where the home lies."""
    place = settings.home if settings.home.exists() else settings.home.parent
    space = shutil.disk_usage(place)
    used = 100 * (space.total - space.free) / space.total
    full = space.free < FREE_BYTES or used > settings.alerts.disk_percent
    told = f"{space.free / 1e9:.1f} GB free of {space.total / 1e9:.0f}, {used:.0f} % used"
    remedy = "make room: `spx maintain` forgets old snapshots, deploy/retention.env shows how to keep fewer rows"
    return Finding("disk", told, remedy if full else "")


def clock(lake: Lake, *, now: datetime) -> Finding:
    """Whether the machine's clock is behind what was committed."""
    meta = lake.location.metadata_schema
    with lake.cursor() as cursor:
        row = cursor.execute(f"SELECT max(CAST(snapshot_time AS TIMESTAMPTZ)) FROM {meta}.ducklake_snapshot").fetchone()  # noqa: S608
    last = row[0] if row else None
    if last is None or last <= now + AHEAD:
        return Finding("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, after the newest commit")
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC, before the newest commit at {last.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return Finding("clock", told, "set the machine's clock (chronyc tracking, timedatectl): ages and schedules go by it")


def days(lake: Lake, *, now: datetime) -> Finding:
    """Whether live feeds have the newest closed trading day; others stand still by design."""
    closed = calendar.newest_closed_day(now, set(lake.settings.calendar.holidays))
    bound = feeds.feeds(lake)
    live = [instrument for instrument, feed in bound.items() if feed.live]
    last = feeds.last_bars(lake) if live else {}
    late = [name for name in live if name not in last or calendar.trading_day(last[name]) < closed]
    if not late:
        return Finding("calendar", f"{len(bound)} feed(s), {len(live)} live, none behind {closed}")
    remedy = "run the job `daily`, see the provider; if the market was closed that day, name it in SPX_CALENDAR__HOLIDAYS"
    return Finding("calendar", f"no bars of {', '.join(late)} on {closed}", remedy)


def alerts(lake: Lake, settings: Settings, *, now: datetime) -> Finding:
    """Whether people were told of what was raised in the last days."""
    recent = lake.read(ALERTS, columns=["created_at", "delivery"]).filter(pl.col("created_at") > now - RECENT)
    failed = recent.filter(pl.col("delivery") == "failed").height
    if failed:
        return Finding(
            "alerts", f"{failed} of {recent.height} were not delivered", "see `spx alerts list`, then `spx alerts test`"
        )
    told = f"{recent.height} in a week, {len(settings.alerts.channels)} channel(s)"
    return Finding("alerts", told)


def _services(settings: Settings) -> list[Finding]:
    """Those the settings name; one that is not named is not expected."""
    asked: list[tuple[str, Callable[[], str], str]] = []
    redis, service, mlflow = settings.redis_url.get_secret_value(), settings.alerts.service_url, settings.mlflow_uri
    if redis:
        asked.append(("redis", lambda: _listens(redis, 6379), "start Redis or correct SPX_REDIS_URL"))
    if service:
        asked.append(
            ("service", lambda: _answers(f"{service.rstrip('/')}/health"), "start `spx serve`, or SPX_ALERTS__SERVICE_URL")
        )
    if mlflow.startswith("http"):
        asked.append(("mlflow", lambda: _answers(f"{mlflow.rstrip('/')}/health"), "start it or correct SPX_MLFLOW__TRACKING_URI"))
    found = []
    for name, ask, remedy in asked:
        try:
            found.append(Finding(name, ask()))
        except (OSError, httpx.HTTPError) as error:
            found.append(Finding(name, f"does not answer ({type(error).__name__})", remedy))
    return found


def _listens(url: str, port: int) -> str:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "localhost", parts.port or port), timeout=3):
        return f"listens at {parts.hostname}:{parts.port or port}"


def _answers(url: str) -> str:
    answer = httpx.get(url, timeout=5)
    if answer.status_code >= 500:
        answer.raise_for_status()
    return f"{url} answers {answer.status_code}"
