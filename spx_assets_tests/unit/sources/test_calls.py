"""The budget of calls that all processes of a home share."""

from pathlib import Path

import pytest

from spx_assets.sources.calls import Budget
from spx_assets.sources.errors import RateLimitError


class Clock:
    """Time that moves only when it is slept."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def budget(path: Path, clock: Clock, *, calls: int, window_s: float) -> Budget:
    return Budget(path, provider="Test", calls=calls, window_s=window_s, sleep=clock.sleep, clock=lambda: clock.now)


def test_a_call_beyond_the_budget_waits_until_the_oldest_is_out_of_the_window(tmp_path: Path) -> None:
    clock = Clock()
    minute = budget(tmp_path / "calls.json", clock, calls=3, window_s=60.0)
    for _ in range(3):
        minute.take()
        clock.now += 10.0
    minute.take()
    assert clock.slept == [30.0]


def test_calls_are_remembered_by_the_next_process_and_a_day_is_not_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    for _ in range(25):
        budget(tmp_path / "calls.json", clock, calls=25, window_s=86_400.0).take()
    with pytest.raises(RateLimitError, match=r"25 calls that Test allows in 24 h are used; the next is free at 2023-11-15 22:13"):
        budget(tmp_path / "calls.json", clock, calls=25, window_s=86_400.0).take()
    assert clock.slept == []
    clock.now += 86_400.0
    budget(tmp_path / "calls.json", clock, calls=25, window_s=86_400.0).take()


def test_a_clock_set_back_does_not_end_all_calls(tmp_path: Path) -> None:
    clock = Clock()
    one = budget(tmp_path / "calls.json", clock, calls=1, window_s=86_400.0)
    one.take()
    clock.now -= 1_000_000.0
    one.take()


def test_a_damaged_count_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "calls.json").write_text("{")
    with pytest.raises(RateLimitError, match="delete it if none were made today"):
        budget(tmp_path / "calls.json", Clock(), calls=1, window_s=1.0).take()
