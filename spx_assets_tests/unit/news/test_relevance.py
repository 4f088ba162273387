"""How much a text is about an instrument: its names, its economy, its members, its country, and what a home adds."""

import polars as pl
import pytest

from spx_assets.news.relevance import Relevance

INDEX, FED, MEMBER, COUNTRY = "S&P 500 slips", "Powell speaks at Jackson Hole", "Apple opens a shop", "Washington prepares"


def of(instrument: str, *texts: str, **further: float) -> list[float]:
    return Relevance(instrument, further).of_texts(pl.Series(list(texts))).round(6).to_list()


def test_each_topic_counts_once_and_topics_add_up_to_less_than_one() -> None:
    assert of("SPX500_USD", INDEX, FED, MEMBER, COUNTRY, "Rain in Spain") == [0.9, 0.6, 0.4, 0.2, 0.0]
    assert of("SPX500_USD", "Fed and Powell", f"{INDEX} as Fed waits") == [0.6, 0.96]


@pytest.mark.parametrize(
    ("instrument", "text", "relevance"),
    [
        ("SPY", INDEX, 0.9),
        ("NAS100_USD", "Chipmakers gain", 0.9),
        ("EUR_USD", "EUR/USD at parity", 0.9),
        ("EUR_USD", "ECB waits", 0.6),
        ("EUR_USD", "Bank of Japan waits", 0.0),
        ("AAPL", "AAPL up", 0.9),
        ("UK100_GBP", "FTSE 100 falls as pound gains", 0.96),
    ],
)
def test_every_kind_of_instrument_has_topics(instrument: str, text: str, relevance: float) -> None:
    assert of(instrument, text) == [pytest.approx(relevance)]


def test_a_home_adds_phrases_and_takes_some_out() -> None:
    further = {"Rain in Spain": 0.5, "apple": 0.0}
    found = Relevance("SPX500_USD", further).of_texts(pl.Series(["Rain in Spain", MEMBER]))
    assert found.to_list() == [0.5, 0.0]
    with pytest.raises(ValueError, match=r"SPX_NEWS__RELEVANCE names '&' for SPX500_USD, which holds no word; leave it out"):
        Relevance("SPX500_USD", {"&": 1.0})
