"""Alerts as people read them: one HTML message for what waits of a kind.

Belongs here: wording and markup. Does not: sending (`channels`), choosing what is told (`delivery`).
"""

from html import escape
from pathlib import Path

import polars as pl

from spx_assets.monitoring.alerts.channels import Message

RANK = {"info": 0, "warning": 1, "critical": 2}
COLOURS = {"info": "#1f6feb", "warning": "#b7791f", "critical": "#c53030"}


def worst(severities: pl.Series) -> str:
    """The gravest of them."""
    return max((str(each) for each in severities), key=RANK.__getitem__)


def of_alerts(alerts: pl.DataFrame, *, home: Path, attachment_mb: float) -> Message:
    """One message for `alerts`, all of one kind, oldest first; the newest report that is there and not too large goes with it."""
    severity = worst(alerts["severity"])
    titles = [_title(row) for row in alerts.iter_rows(named=True)]
    title = titles[0] if len(titles) == 1 else f"{len(titles)} alerts: {titles[0]}, ..."
    blocks = [
        f'<h3 style="color:{COLOURS[row["severity"]]};margin:12px 0 4px">{escape(_title(row))}</h3>'
        f"<p>{'<br>'.join(escape(row['message']).splitlines())}</p>"
        f"<p><small>{escape(row['severity'])} &middot; {escape(row['kind'])} &middot; {escape(row['source'])} &middot; "
        f"{row['created_at']:%Y-%m-%d %H:%M} UTC</small></p>"
        for row in alerts.iter_rows(named=True)
    ]
    reports = [home / report for report in alerts["report"].drop_nulls().to_list()]
    there = [path for path in reports if path.is_file()]
    small = [path for path in there if path.stat().st_size <= attachment_mb * 1e6]
    blocks += [f"<p>Report: {escape(str(path))}</p>" for path in there]
    return Message(
        title=f"[{severity}] {title}",
        html="\n".join(blocks),
        severity=severity,
        attachment=small[-1] if small else None,
    )


def of_digest(alerts: pl.DataFrame) -> str:
    """The text of a digest: how many of each kind and what became of them, then one by one those that nobody was told of."""
    counts = alerts.group_by("kind", "severity").agg(
        pl.len().alias("alerts"), *((pl.col("delivery") == state).sum().alias(state) for state in ("delivered", "held", "failed"))
    )
    lines = [
        "{kind} ({severity}): {alerts}, {delivered} delivered, {held} held, {failed} failed.".format(**row)
        for row in counts.sort("kind", "severity").iter_rows(named=True)
    ]
    untold = alerts.filter(pl.col("delivery") != "delivered").sort("created_at")
    lines += [f"{row['created_at']:%H:%M} UTC {row['kind']}: {row['message']}" for row in untold.iter_rows(named=True)]
    return "\n".join(lines)


def _title(row: dict[str, str | None]) -> str:
    """An alert raised over HTTP has no title: its first words."""
    text = row["title"] or row["message"] or ""
    return text if len(text) <= 100 else f"{text[:97]}..."
