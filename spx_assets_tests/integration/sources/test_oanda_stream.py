"""Live minutes from a server that speaks as OANDA does: beats, cuts, silence, refusals, and candles for what was not heard."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from spx_assets.settings import OandaSettings
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed, File
from spx_assets.sources.errors import BadAnswerError, ProviderError, UnauthorisedError
from spx_assets.sources.oanda_stream import OandaBars
from spx_assets_tests.integration.sources import prices
from spx_assets_tests.integration.sources.prices import ACCOUNT, CUT, PriceServer
from spx_assets_tests.integration.sources.provider import TOKEN

START = datetime(2025, 3, 5, 14, 0, tzinfo=UTC)


def t(text: str) -> datetime:
    """An instant of that afternoon, 'MM:SS' after 14:00."""
    minute, second = text.split(":")
    return START + timedelta(minutes=int(minute), seconds=float(second))


def feed(end: datetime = START) -> Feed:
    """A feed at OANDA whose history ends there."""
    last = end - timedelta(minutes=1)
    file = File(
        position=0,
        sha256="",
        rows_sha256="",
        name="",
        rules={"symbol": "SPX500_USD"},
        rows=1,
        first_ts=last,
        last_ts=last,
        imported_at=last,
    )
    return Feed(
        instrument="SPX500_USD", provider="oanda", live=True, config={"first": 0, "last": 0}, bound_at=last, files=(file,)
    )


class Listening:
    """The bars of a stream, taken in a thread by a clock that the test sets."""

    def __init__(
        self, server: PriceServer, *, token: str = TOKEN, end: datetime = START, silence_s: float = 30.0, at: str = "0:0"
    ) -> None:
        self.server, self.clock = server, t(at)
        settings = OandaSettings(
            token=SecretStr(token), url=server.url, stream_url=server.url, account=ACCOUNT, timeout_s=5.0, silence_s=silence_s
        )
        self.source = OandaBars(
            settings, [feed(end)], grace=timedelta(milliseconds=250), now=lambda: self.clock, first_pause_s=0.01
        )
        self.bars: list[Bar] = []
        self.error: ProviderError | None = None
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def listens(self) -> None:
        """Until the connection is made."""
        self.until(lambda: self.source.heard_from is not None)

    def _take(self) -> None:
        try:
            for bar in self.source.bars(self.stop):
                self.bars.append(bar)
        except ProviderError as error:
            self.error = error

    def at(self, text: str) -> None:
        """Set the clock; the provider is heard every 20 ms."""
        self.clock = t(text)

    def price(self, text: str, bid: float) -> None:
        """Set the clock and stream a price of that instant, half a point wide."""
        self.clock = t(text)
        self.server.price(self.clock, bid, bid + 0.5)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, (self.bars, self.source.trouble, self.error)
            time.sleep(0.005)

    def closes(self) -> list[tuple[str, float]]:
        return [(f"{bar.ts:%H:%M}", bar.close) for bar in self.bars]

    def end(self) -> None:
        self.stop.set()
        self._thread.join(5)


@pytest.fixture
def server() -> Iterator[PriceServer]:
    with prices.serving() as found:
        yield found


def sent(server: PriceServer) -> Callable[[], bool]:
    """Whether somebody is connected and all was streamed."""
    return lambda: server.connections >= 1 and server.stream.empty()


def test_minutes_come_from_prices_with_their_best_sizes(server: PriceServer) -> None:
    heard = Listening(server)
    heard.listens()
    heard.price("0:01", 5800.0)
    heard.price("0:30", 5802.0)
    server.price(t("0:40"), 9000.0, 9000.5, tradeable=False)  # a closed market repeats what nobody can deal at
    server.price(t("0:41"), 1.1, 1.2, symbol="EUR_USD")
    heard.price("0:59", 5801.0)
    heard.until(sent(server))
    heard.at("1:00.3")
    heard.until(lambda: len(heard.bars) == 1)
    (bar,) = heard.bars
    assert (bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume) == (START, 5800.25, 5802.25, 5800.25, 5801.25, 3.0)
    assert (bar.bid_close, bar.ask_close, bar.spread, bar.bid_size, bar.ask_size) == (5801.0, 5801.5, 0.5, 10.0, 11.0)
    assert bar.known_at == t("1:00.3")
    assert "/candles" not in " ".join(server.asked)  # nothing was missed, so nothing is asked for
    heard.end()


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_minutes_that_were_not_heard_whole_are_candles_in_their_place(server: PriceServer, how: str) -> None:
    server.candles = prices.minutes(START, 6)
    heard = Listening(server, silence_s=2.0 if how == "silence" else 30.0)
    heard.listens()
    heard.price("0:01", 5800.0)
    heard.price("1:10", 5801.0)  # ends 14:00
    heard.until(lambda: len(heard.bars) == 1)
    server.fall_silent()
    heard.clock = t("2:20")  # 14:01 was heard to 14:01:10 only
    if how == "cut":
        server.stream.put(CUT)
    heard.until(lambda: heard.source.heard_from == t("2:20"))  # after silence the watchdog has cut it
    heard.price("2:30", 5802.0)  # of a minute whose beginning nobody heard
    heard.price("3:05", 5803.0)
    heard.until(sent(server))
    heard.price("4:05", 5804.0)  # ends 14:03, which waits for the gap
    heard.until(lambda: len(heard.bars) == 4)
    assert heard.closes() == [("14:00", 5800.25), ("14:01", 5700.5), ("14:02", 5701.0), ("14:03", 5803.25)]
    assert heard.bars[1].known_at >= t("3:01")  # not before the provider had them
    assert (heard.bars[1].bid_close, heard.bars[1].volume) == (5700.25, 7.0)
    heard.end()


def test_bars_wait_for_a_candle_that_is_not_complete(server: PriceServer) -> None:
    server.candles = prices.minutes(START, 3)
    server.incomplete = {t("1:0")}
    heard = Listening(server, at="1:20")  # history ends at 14:00, the stream begins in the middle of 14:01
    heard.listens()
    heard.price("2:05", 5802.0)
    heard.until(sent(server))
    heard.at("3:01")  # 14:02 is whole, but 14:01 is not to be had yet
    heard.until(lambda: len(heard.bars) == 1)
    assert heard.closes() == [("14:00", 5700.0)]
    server.incomplete.clear()
    heard.at("3:20")
    heard.until(lambda: len(heard.bars) == 3)
    assert heard.closes()[1:] == [("14:01", 5700.5), ("14:02", 5802.25)]
    heard.end()


def test_a_wrong_token_ends_the_stream_and_is_never_shown(server: PriceServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    heard = Listening(server, token="wr0ng-t0ken")
    heard.until(lambda: heard.error is not None)
    assert isinstance(heard.error, UnauthorisedError)
    assert "401" in str(heard.error)
    assert "set SPX_OANDA__TOKEN" in str(heard.error)
    assert "wr0ng-t0ken" not in f"{heard.error!r} {caplog.text}"
    assert len(server.asked) == 1


def test_trouble_at_the_provider_is_waited_out_and_a_wrong_account_is_not(server: PriceServer) -> None:
    server.refuse = [(503, f"busy {TOKEN}"), (520, "")]
    heard = Listening(server)
    heard.listens()
    heard.price("0:01", 5800.0)
    heard.price("1:01", 5801.0)
    heard.until(lambda: len(heard.bars) == 1)
    server.refuse = [(400, f"Invalid value specified for 'accountID' by {TOKEN}")]
    server.stream.put(CUT)
    heard.until(lambda: heard.error is not None)
    assert isinstance(heard.error, BadAnswerError)
    assert "SPX_OANDA__ACCOUNT" in str(heard.error)
    assert TOKEN not in str(heard.error)


def test_without_an_account_nothing_is_asked(server: PriceServer) -> None:
    settings = OandaSettings(token=SecretStr(TOKEN), url=server.url, stream_url=server.url)
    with pytest.raises(UnauthorisedError, match="set SPX_OANDA__ACCOUNT"):
        OandaBars(settings, [feed()], grace=timedelta(0))
    assert server.asked == []
