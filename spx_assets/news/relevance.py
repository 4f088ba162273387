"""Relevance: how much a text is about what an instrument hangs on, by the names it holds.

Belongs here: which topics an instrument has, their weights, the number of one text. Does not: the phrases (`topics`).

Each topic a text touches says, with its weight, that the text matters; topics are taken as independent of each other:
1 - (1 - w1)(1 - w2)... A text that names the index and the Fed comes to 0.96, one about a member alone to 0.4, one about nothing
the instrument hangs on to 0.
"""

from collections.abc import Mapping, Sequence
from math import prod

import polars as pl

from spx_assets.news import titles, topics
from spx_assets.news.phrases import Phrases

ITSELF, MACRO, MEMBER, MARKETS, COUNTRY = 0.9, 0.6, 0.4, 0.3, 0.2

Topics = Mapping[str, tuple[float, frozenset[str]]]


def topics_of(instrument: str) -> Topics:
    """Topic -> (weight, phrases) of an instrument: an index, a pair of currencies, or else a share known by its symbol."""
    symbol, _, quote = instrument.upper().partition("_")
    if symbol in topics.INDICES:
        currency, names, members = topics.INDICES[symbol]
        return {"itself": (ITSELF, names), "members": (MEMBER, members), **_economy(currency)}
    if symbol in topics.MACRO and quote in topics.MACRO:
        pair = frozenset({f"{symbol} {quote}".lower(), f"{symbol}{quote}".lower()})
        named = {f"name of {each}": (MACRO, topics.CURRENCY_NAMES[each]) for each in (symbol, quote)}
        return {"itself": (ITSELF, pair), **named, **_economy(symbol), **_economy(quote)}
    return {"itself": (ITSELF, frozenset({symbol.lower()})), **_economy("USD")}


def _economy(currency: str) -> Topics:
    return {
        f"economy of {currency}": (MACRO, topics.MACRO[currency]),
        f"country of {currency}": (COUNTRY, topics.COUNTRY[currency]),
        "markets": (MARKETS, topics.MARKETS),
    }


class Relevance:
    """The relevance of texts to one instrument; `further` are phrases, each a topic of its own, that replace built-in ones."""

    def __init__(self, instrument: str, further: Mapping[str, float] | None = None) -> None:
        found: dict[str, list[tuple[str, float]]] = {}
        for topic, (weight, phrases) in topics_of(instrument).items():
            for phrase in phrases:
                found.setdefault(phrase, []).append((topic, weight))
        for phrase, weight in (further or {}).items():
            words = _words(pl.Series([phrase]))[0]
            if not words:
                raise ValueError(f"SPX_NEWS__RELEVANCE names {phrase!r} for {instrument}, which holds no word; leave it out")
            found[" ".join(words)] = [(phrase, weight)]
        self._phrases = Phrases(found)

    def of(self, words: Sequence[str]) -> float:
        """Of one text, of its words."""
        heard: dict[str, float] = {}
        for _, of in self._phrases.found(words):
            heard.update(of)
        return 1.0 - prod(1.0 - weight for weight in heard.values())

    def of_texts(self, texts: pl.Series) -> pl.Series:
        """Of each text, in order."""
        return pl.Series("relevance", [self.of(words) for words in _words(texts)], dtype=pl.Float64)


def _words(texts: pl.Series) -> list[list[str]]:
    return pl.DataFrame({"text": texts}).select(titles.words(pl.col("text")))["text"].to_list()
