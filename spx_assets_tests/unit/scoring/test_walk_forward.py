"""Which version forecasts which week, and who was served when: nothing may have seen what it forecasts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake.tables import PROMOTIONS, VERSIONS
from spx_assets.scoring.walk_forward import History

WEEK = date(2025, 9, 7)
OPEN = calendar.week_window(WEEK)[0]
SECOND = timedelta(seconds=1)


def frame(table: Any, rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = table.schema()
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=columns)


def version(name: str, cutoff: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "model_name": "spx500_h30",
        "family": "lightgbm",
        "version": name,
        "training_cutoff": cutoff,
        "digest": name,
    } | changes


def move(name: str | None, at: datetime, *, decided: datetime | None = None, moves: bool = True) -> dict[str, Any]:
    return {
        "model_name": "spx500_h30",
        "version": name,
        "served": name,
        "effective_at": at,
        "decided_at": decided or at,
        "moves_current": moves,
    }


def history(versions: list[dict[str, Any]], moves: list[dict[str, Any]] | None = None) -> History:
    return History(frame(VERSIONS, versions), frame(PROMOTIONS, moves or []))


def chosen(found: History, week: date = WEEK) -> list[str]:
    return found.chosen(week)["version"].to_list()


def test_the_version_with_the_greatest_cut_off_before_the_week_forecasts_it() -> None:
    found = history([version("c", OPEN), version("a", OPEN - timedelta(days=14)), version("b", OPEN - timedelta(days=7))])
    assert chosen(found) == ["c"]
    assert chosen(found, WEEK - timedelta(days=7)) == ["b"]
    assert chosen(found, WEEK - timedelta(days=21)) == []


def test_a_version_that_saw_one_second_of_the_week_does_not_forecast_it() -> None:
    assert chosen(history([version("a", OPEN - timedelta(days=7)), version("late", OPEN + SECOND)])) == ["a"]
    assert chosen(history([version("late", OPEN + SECOND)])) == []


def test_each_model_and_family_has_its_own_version_and_a_retrained_one_replaces_its_elder() -> None:
    found = history(
        [
            version("1", OPEN - SECOND),
            version("3", OPEN - SECOND),
            version("2", OPEN - SECOND),
            version("4", OPEN - timedelta(days=30), family="linear"),
            version("5", OPEN, model_name="spx500_h60"),
        ]
    )
    assert found.chosen(WEEK).select("model_name", "family", "version").rows() == [
        ("spx500_h30", "lightgbm", "3"),
        ("spx500_h30", "linear", "4"),
        ("spx500_h60", "lightgbm", "5"),
    ]


def at(*offsets: float) -> pl.Series:
    return pl.Series("ts", [OPEN + timedelta(hours=hours) for hours in offsets], dtype=pl.Datetime("us", "UTC"))


def test_the_champion_at_an_instant_is_the_last_one_effective_by_then() -> None:
    moves = [move("b", OPEN + timedelta(hours=5)), move("a", OPEN), move("old", OPEN + timedelta(hours=9), moves=False)]
    found = history([], moves)
    assert found.champion_at("spx500_h30", at(10, -1, 0, 4.99, 5)).to_list() == ["b", None, "a", "a", "b"]
    assert found.champion_at("spx500_h60", at(10)).to_list() == [None]


def test_versions_served_in_a_week_are_who_was_when_it_began_and_who_came_in_it() -> None:
    hours = {"old": -900, "a": -1, "b": 5, "tried": 6, "gone": 7, "next": 200}
    moves = [move(name, OPEN + timedelta(hours=at), moves=name != "tried") for name, at in hours.items()]
    found = history([version(name, OPEN - SECOND) for name in hours if name != "gone"], moves)
    assert found.serving(WEEK).rows() == [("spx500_h30", "a"), ("spx500_h30", "b")]
    assert found.serving(WEEK - timedelta(days=70)).is_empty()


def test_of_two_verdicts_at_one_instant_the_later_decision_counts() -> None:
    decided = datetime(2025, 9, 9, tzinfo=UTC)
    found = history([], [move("b", OPEN, decided=decided + SECOND), move("a", OPEN, decided=decided)])
    assert found.champion_at("spx500_h30", at(1)).to_list() == ["b"]


def test_nobody_is_served_after_the_last_one_was_taken_back() -> None:
    found = history([], [move("a", OPEN), move(None, OPEN + timedelta(hours=1))])
    assert found.champion_at("spx500_h30", at(0, 2)).to_list() == ["a", None]


@pytest.mark.parametrize(
    ("versions", "moves", "changes"),
    [
        ([version("a", OPEN - SECOND), version("new", OPEN + SECOND)], [], False),
        ([version("a", OPEN - SECOND), version("new", OPEN)], [], True),
        ([version("a", OPEN - SECOND)], [move("a", OPEN + timedelta(days=7))], False),
        ([version("a", OPEN - SECOND)], [move("a", OPEN - timedelta(days=70))], True),
        ([version("a", OPEN - SECOND)], [move("a", OPEN + timedelta(days=6))], True),
        ([version("a", OPEN - SECOND)], [move("a", OPEN + timedelta(days=6), moves=False)], False),
        ([version("a", OPEN - SECOND, digest="other")], [], True),
    ],
)
def test_the_fingerprint_changes_only_with_what_the_week_depends_on(
    versions: list[dict[str, Any]], moves: list[dict[str, Any]], changes: bool
) -> None:
    before = history([version("a", OPEN - SECOND)]).fingerprint(WEEK)
    assert (history(versions, moves).fingerprint(WEEK) != before) is changes
