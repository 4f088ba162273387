"""Minute bars from hand-made ticks, with the values they must have."""

from datetime import UTC, datetime, timedelta

import pytest

from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed
from spx_assets.sources.minutes import Minutes, Tick

FEED = Feed(
    instrument="SPX500_USD",
    provider="oanda",
    live=True,
    config={"first": 0, "last": 0},
    bound_at=datetime(2025, 3, 1, tzinfo=UTC),
)
GRACE = timedelta(milliseconds=250)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Heard:
    """Ticks fed to a builder that has heard from 14:00:00 on; the bars it gave."""

    def __init__(self, start: str = "2025-03-05T14:00:00") -> None:
        self.minutes = Minutes(FEED, grace=GRACE)
        self.minutes.begin(at(start))
        self.bars: list[Bar] = []

    def tick(
        self, time: str, bid: float, ask: float, *, now: str | None = None, sizes: tuple[float, float] | None = None
    ) -> None:
        tick = Tick("SPX500_USD", at(time), bid, ask, *(sizes or (None, None)))
        self.bars += self.minutes.tick(tick, now=at(now or time))

    def clock(self, now: str, *, heard: str | None = None) -> list[Bar]:
        made = list(self.minutes.advance(at(now), heard=at(heard or now)))
        self.bars += made
        return made


def test_a_minute_has_the_mids_of_its_ticks_and_the_last_quote_with_its_sizes() -> None:
    heard = Heard()
    heard.tick("2025-03-05T14:00:01", 5800.0, 5800.5)
    heard.tick("2025-03-05T14:00:20", 5803.0, 5803.5, sizes=(10.0, 20.0))
    heard.tick("2025-03-05T14:00:40", 5798.0, 5799.0)
    heard.tick("2025-03-05T14:00:59.999999", 5801.0, 5801.5, sizes=(7.0, 9.0))
    assert heard.clock("2025-03-05T14:01:00.200000") == []  # within the grace a tick may still come
    assert heard.clock("2025-03-05T14:01:00.250000") == [
        Bar(
            instrument="SPX500_USD",
            ts=at("2025-03-05T14:00:00"),
            provider="oanda",
            binding=FEED.binding,
            open=5800.25,
            high=5803.25,
            low=5798.5,
            close=5801.25,
            volume=4.0,
            known_at=at("2025-03-05T14:01:00.250000"),
            bid_close=5801.0,
            ask_close=5801.5,
            spread=0.5,
            bid_size=7.0,
            ask_size=9.0,
        )
    ]
    assert heard.clock("2025-03-05T14:02:05") == []


def test_a_minute_without_a_tick_has_no_bar_and_the_next_tick_ends_the_one_before() -> None:
    heard = Heard()
    heard.tick("2025-03-05T14:00:30", 5800.0, 5800.5)
    heard.tick("2025-03-05T14:02:10", 5802.0, 5802.5)  # 14:01 had none
    heard.clock("2025-03-05T14:03:01")
    assert [(bar.ts, bar.close, bar.known_at) for bar in heard.bars] == [
        (at("2025-03-05T14:00:00"), 5800.25, at("2025-03-05T14:02:10")),
        (at("2025-03-05T14:02:00"), 5802.25, at("2025-03-05T14:03:01")),
    ]


def test_a_late_tick_changes_no_bar_that_is_out() -> None:
    heard = Heard()
    heard.tick("2025-03-05T14:00:30", 5800.0, 5800.5)
    heard.tick("2025-03-05T14:00:59.9", 5801.0, 5801.5, now="2025-03-05T14:01:00.1")  # after the minute, within the grace
    heard.clock("2025-03-05T14:01:01")
    heard.tick("2025-03-05T14:00:59.95", 9999.0, 9999.5, now="2025-03-05T14:01:01.5")
    heard.tick("2025-03-05T14:01:02", 5802.0, 5802.5)
    heard.clock("2025-03-05T14:02:01")
    assert [(bar.close, bar.high, bar.volume) for bar in heard.bars] == [(5801.25, 5801.25, 2.0), (5802.25, 5802.25, 1.0)]
    assert heard.minutes.late == 1


def test_a_minute_does_not_end_in_a_silence_that_may_be_a_lost_connection() -> None:
    heard = Heard()
    heard.tick("2025-03-05T14:00:30", 5800.0, 5800.5)
    assert heard.clock("2025-03-05T14:01:05", heard="2025-03-05T14:00:55") == []
    assert [bar.ts for bar in heard.clock("2025-03-05T14:01:06", heard="2025-03-05T14:01:05.9")] == [at("2025-03-05T14:00:00")]


def test_a_minute_that_was_not_heard_whole_makes_no_bar() -> None:
    heard = Heard("2025-03-05T14:00:12")  # connected in the middle of 14:00
    heard.tick("2025-03-05T14:00:30", 5800.0, 5800.5)
    heard.tick("2025-03-05T14:01:30", 5801.0, 5801.5)
    heard.minutes.lose()
    heard.clock("2025-03-05T14:02:30")
    assert heard.bars == []
    assert heard.minutes.begin(at("2025-03-05T14:03:00")) == at("2025-03-05T14:03:00")
    heard.tick("2025-03-05T14:03:01", 5802.0, 5802.5)
    heard.clock("2025-03-05T14:04:01")
    assert [bar.ts for bar in heard.bars] == [at("2025-03-05T14:03:00")]


@pytest.mark.parametrize(
    ("bid", "ask"), [(5800.5, 5800.0), (0.0, 1.0), (-1.0, 1.0), (float("nan"), 5800.0), (5800.0, float("inf"))]
)
def test_what_is_no_price_is_counted_and_left_out(bid: float, ask: float) -> None:
    heard = Heard()
    heard.tick("2025-03-05T14:00:30", bid, ask)
    assert heard.clock("2025-03-05T14:01:01") == []
    assert heard.minutes.refused == 1


@pytest.mark.parametrize(
    ("last", "closed", "opened"),
    [
        # Friday 17:00 New York is 22:00 UTC before the clock change of 9 March 2025 and Sunday's open then 21:00, not 22:00.
        ("2025-03-07T21:59:30", "2025-03-07T22:00:00", "2025-03-09T21:00:05"),
        # The clock goes back on 2 November: Friday closes at 21:00 UTC, Sunday opens at 22:00.
        ("2025-10-31T20:59:30", "2025-10-31T21:00:00", "2025-11-02T22:00:05"),
    ],
)
def test_the_week_closes_at_17_new_york_whichever_way_the_clock_changes(last: str, closed: str, opened: str) -> None:
    heard = Heard(last)
    heard.minutes.begin(at(last).replace(second=0))
    heard.tick(last, 5800.0, 5800.5)
    heard.tick(closed, 5900.0, 5900.5)  # of the weekend
    before = (at(opened) - timedelta(seconds=10)).isoformat().removesuffix("+00:00")
    heard.tick(before, 5901.0, 5901.5)  # ten seconds before the open: still of the weekend
    heard.clock(before)
    heard.tick(opened, 5810.0, 5810.5)
    after = (at(opened) + timedelta(minutes=1)).isoformat().removesuffix("+00:00")
    heard.clock(after)
    assert [(bar.ts, bar.close) for bar in heard.bars] == [
        (at(last).replace(second=0), 5800.25),
        (at(opened).replace(second=0), 5810.25),
    ]
    assert heard.minutes.refused == 2
