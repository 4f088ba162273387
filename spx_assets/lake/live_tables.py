"""Table contract of the live stream: minute bars as a worker completed them.

Belongs here: `bronze.candles_live`. Does not: the candles that features are made of, which take these rows where the provider's
own history ends (`tables`, `sources.feeds`).
"""

from spx_assets.lake.schema import Column, Table


def _price(name: str, text: str, *, nullable: bool = False) -> Column:
    return Column(name, "DOUBLE", text, nullable=nullable, unit="price", low=0.0)


CANDLES_LIVE = Table(
    "bronze.candles_live",
    "One-minute bars as a stream worker completed them, each once; in bronze.candles they fill what the provider's history lacks",
    (
        Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD"),
        Column("ts", "TIMESTAMPTZ", "Start of the minute, UTC"),
        Column("provider", "VARCHAR", "Provider of the feed the bar belongs to"),
        _price("open", "First mid price of the minute"),
        _price("high", "Highest mid price"),
        _price("low", "Lowest mid price"),
        _price("close", "Last mid price"),
        _price("bid_close", "Last bid price", nullable=True),
        _price("ask_close", "Last ask price", nullable=True),
        Column("spread", "DOUBLE", "ask_close - bid_close", nullable=True, unit="price", low=0.0),
        Column("volume", "DOUBLE", "Traded or tick volume", unit="units", low=0.0),
        Column("bid_size", "DOUBLE", "Size at the last best bid; null where not given", nullable=True, unit="units", low=0.0),
        Column("ask_size", "DOUBLE", "Size at the last best ask; null where not given", nullable=True, unit="units", low=0.0),
        Column("known_at", "TIMESTAMPTZ", "When the finished bar was known: by the worker's clock, in a replay its end"),
    ),
    key=("instrument", "ts"),
    clocked=False,
    records=False,
    small=True,
)
