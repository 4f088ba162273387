"""A line whose lake is slow: the thread of bars does not wait for the thread that looks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from serving.stream import line as module
from serving.stream.line import Line
from spx_assets.features import online
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed

START = datetime(2019, 1, 7, 14, tzinfo=UTC)


def bar(minute: int) -> Bar:
    ts, price = START + timedelta(minutes=minute), 3000.0 + minute
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return Bar(instrument="SPX500_USD", ts=ts, provider="files", binding="b", volume=1.0, known_at=ts, **prices)


class Bars:
    """A history that is its last bar."""

    def __init__(self) -> None:
        self.last, self.day, self.close = START, date(2019, 1, 7), 3000.0

    def add(self, bars: list[Bar]) -> None:
        for each in bars:
            self.last, self.close = each.ts, each.close

    def vector(self, articles: Any, *, rows: int) -> online.Vector:
        return online.Vector("SPX500_USD", self.last, (), np.zeros((1, 1), np.float32), np.array([0]))


class SlowLake:
    """A new snapshot each time that changes nothing but the news."""

    def __init__(self) -> None:
        self.at = 0

    def snapshot(self) -> int:
        return self.at

    def unchanged(self, tables: object, *_: int) -> bool:
        return tables == module.BASE


def test_a_bar_is_not_kept_waiting_while_the_news_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Feed(instrument="SPX500_USD", provider="files", live=False, config={}, bound_at=START)
    line = Line(SlowLake(), feed, now=lambda: START)  # type: ignore[arg-type]
    reading, read_on, asked = threading.Event(), threading.Event(), list[int]()

    def before(*_: object, snapshot: int) -> str:
        asked.append(snapshot)
        if snapshot == 2:
            reading.set()
            assert read_on.wait(60)
        return f"articles of {snapshot}"

    monkeypatch.setattr(line._news, "before", before)
    monkeypatch.setattr(module.readiness, "news", lambda *_, **__: None)
    monkeypatch.setattr(module.History, "load", classmethod(lambda *_, **__: Bars()))
    assert line.look(1)
    with ThreadPoolExecutor(2) as threads:
        try:
            looking = threads.submit(line.look, 2)
            assert reading.wait(60)
            vector = threads.submit(line.take, bar(1), rows=1).result(timeout=60)
        finally:
            read_on.set()
    assert vector is not None
    assert (vector.ts, vector.close) == (START + timedelta(minutes=1), 3001.0)
    assert (looking.result(), asked, line.missing) == (True, [1, 2], None)
