"""Three one-minute candles in the shapes that files come in, and reading one file back.

Belongs here: what tests of `sources.files` share. Does not: assertions on one format.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from spx_assets.sources import files

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = datetime(2018, 1, 2, 14, 30, tzinfo=UTC)
MID = [(10.0, 12.0, 9.0, 11.0), (11.0, 11.5, 10.5, 11.25), (11.25, 13.0, 11.0, 12.5)]
CSV = "ts,open,high,low,close,volume\n" + "".join(
    f"2018-01-02T14:{30 + i}:00Z,{o},{h},{low},{c},{i}\n" for i, (o, h, low, c) in enumerate(MID)
)


def read(path: Path, **options: object) -> files.Bars:
    (bars,) = files.read(path, name=path.name, now=NOW, **options)  # type: ignore[arg-type]
    return bars


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def assert_mid(bars: files.Bars) -> None:
    assert bars.rows["ts"].to_list() == [FIRST + timedelta(minutes=i) for i in range(3)]
    assert bars.rows.select("open", "high", "low", "close").rows() == MID
    assert bars.refused == {}


def candle(minute: int, bid: tuple[float, ...], ask: tuple[float, ...], *, complete: bool = True) -> dict[str, object]:
    sides = {name: dict(zip("ohlc", map(str, side), strict=True)) for name, side in (("bid", bid), ("ask", ask))}
    return {"complete": complete, "volume": 3, "time": f"2018-01-02T14:{minute}:00.000000000Z", **sides}


OANDA = [
    candle(30, (9.5, 11.5, 8.5, 10.5), (10.5, 12.5, 9.5, 11.5)),
    candle(31, (10.5, 11.0, 10.0, 10.75), (11.5, 12.0, 11.0, 11.75)),
    candle(32, (10.75, 12.5, 10.5, 12.0), (11.75, 13.5, 11.5, 13.0)),
]
