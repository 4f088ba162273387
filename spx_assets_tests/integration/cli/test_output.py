"""Tables on a terminal: whatever its width, no value is cut. Progress: a bar on a terminal, a line a finished task off it."""

import sys
from collections.abc import Callable

import polars as pl
import pytest

from spx_assets.cli import output

Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    """A table as a terminal of 48 columns shows it."""
    monkeypatch.setenv("COLUMNS", "48")
    monkeypatch.setenv("TERM", "xterm")

    def show(title: str = "", **columns: list[object]) -> str:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        output.table(pl.DataFrame(columns), title=title)
        return capsys.readouterr().out

    return show


def test_a_table_wider_than_the_terminal_goes_on_below_with_its_first_column(shown: Shown) -> None:
    text = shown("Out of time", family=["linear"], log_loss=[0.6015429], log_loss_base=[0.7008373], version=["2" * 31])
    assert [text.count(part) for part in ("Out of time", "family", "linear")] == [1, 2, 2]
    assert [text.count(value) for value in ("0.601543", "0.700837", "2" * 31)] == [1, 1, 1]


def test_one_that_fits_stays_one_table(shown: Shown) -> None:
    text = shown(family=["linear"], rank=[1], log_loss=[0.6])
    assert (text.count("family"), "\t" in text) == (1, False)


def test_long_work_shows_a_bar_on_a_terminal_and_a_line_a_finished_task_off_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> str:
        with output.progress() as progress, output.working("waiting"):
            for done in range(3):
                progress("copies", done, 2)
            progress("gold/labels", 0, 0)
        return capsys.readouterr().err

    assert work() == "copies: 2 made\ngold/labels: up to date\n"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    shown = work()
    assert all(words in shown for words in ("copies", "2/2", "━", "0:00:00", "waiting"))
