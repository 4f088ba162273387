"""How busy the processors are said to be, and when people are told."""

from pathlib import Path

import psutil
import pytest

from spx_assets.monitoring.alerts import machine, watch
from spx_assets.monitoring.alerts.machine import Processors
from spx_assets.settings import Settings

BEFORE = Processors(busy_s=1_000.0, total_s=9_000.0)


def after(minutes: float, busy: float) -> Processors:
    passed = 60 * minutes * (psutil.cpu_count() or 1)
    return Processors(busy_s=BEFORE.busy_s + busy * passed, total_s=BEFORE.total_s + passed)


@pytest.mark.parametrize(("busy", "told"), [(0.84, []), (0.86, ["machine cpu"])])
def test_processors_more_than_85_percent_busy_over_five_minutes_are_told(
    settings: Settings, tmp_path: Path, busy: float, told: list[str]
) -> None:
    now = after(5, busy)
    reading = machine.read(tmp_path, BEFORE, now)
    assert reading.cpu == pytest.approx(100 * busy)
    assert reading.since == now
    assert [each.name for each in watch._machine(settings, reading) if each.name == "machine cpu"] == told


def test_a_peak_between_two_looks_soon_after_one_another_says_nothing_and_counts_into_the_next(tmp_path: Path) -> None:
    reading = machine.read(tmp_path, BEFORE, after(1, 1.0))
    assert (reading.cpu, reading.since) == (None, BEFORE)


def test_a_machine_that_was_started_anew_is_counted_from_then_on(tmp_path: Path) -> None:
    now = Processors(busy_s=10.0, total_s=100.0)
    reading = machine.read(tmp_path, BEFORE, now)
    assert (reading.cpu, reading.since) == (None, now)
