"""Options that several commands take.

Belongs here: reading what was typed. Does not: what a command does with it.
"""

from datetime import datetime

import typer


def instant(text: str) -> datetime:
    """An ISO 8601 time as a UTC instant; without an offset it is UTC."""
    from spx_assets import calendar

    try:
        return calendar.instant(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an ISO time such as 2025-10-15T15:00:00Z") from None
