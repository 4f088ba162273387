"""Landing hand-made articles in a home."""

from datetime import UTC, date, datetime
from typing import Any

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.sources import articles
from spx_assets.sources.news_landing import LandingReport, land

# When the home got what a test lands, unless it says otherwise.
NOW = datetime(2019, 3, 1, 12, tzinfo=UTC)
WEEKS = calendar.week_range(date(2019, 1, 6), date(2019, 1, 27))
STORY = "Fed raises interest rates by a quarter point"
AGAIN = "Fed raises interest rates by quarter point"
NASTY = "<script>alert('1')</script> \x1b[31m\x00 \u202e\ufffd end"


def at(day: int, hour: int = 15, minute: int = 0) -> datetime:
    """A moment of January 2019, UTC. A week begins on Sunday, the 6th or the 13th, at 22:00."""
    return datetime(2019, 1, day, hour, minute, tzinfo=UTC)


def article(title: str | None, published: datetime, **given: Any) -> dict[str, Any]:
    return {"source": "wire", "title": title, "published_at": published, "raw": "{}", **given}


def put(lake: Lake, *records: dict[str, Any], provider: str = "files") -> LandingReport:
    """Land the records as one batch of an archive."""
    return land(lake, provider, articles.frame(records), name="batch", now=NOW)


def history() -> list[dict[str, Any]]:
    """Articles of two of the WEEKS, with a correction, a story told again across a border, and two that are none."""
    return [
        article(STORY, at(13, 21, 50), source="first"),
        article(AGAIN, at(13, 22, 10), source="second"),
        article("Shares up", at(8), url="https://s.com/a"),
        article("Shares up", at(15), url="https://s.com/a", body="They rose."),
        article("Date only", at(18, 0), time_precision="day"),
        article(NASTY, at(17)),
        article(None, at(16), url="https://s.com/none"),
        article("No source", at(16, 16), source=None, raw=f"not JSON: {NASTY}"),
    ]
