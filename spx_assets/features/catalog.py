"""The catalog of features: each declared once, in the order of the tables and of the model's vector.

Belongs here: look-ups over the declarations and the hashes that say which version of them made a value. Does not: the
declarations (`definitions`), arithmetic (`kernels`), and imports beyond the standard library: table contracts are made from it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from spx_assets.features.definitions import calendar, microstructure, news, returns, technical, timeframes, volatility
from spx_assets.features.feature import Feature
from spx_assets.features.wording import without_wording

MARKET_FAMILIES: dict[str, str] = {
    "returns": "Returns over minutes of the clock, of the trading day, and their shape",
    "technical": "Textbook indicators over bars and their stationary forms",
    "volatility": "Close-to-close and range-based volatility, annualised by the bars of a year, and its regimes",
    "microstructure": "Spread, pressure, order-flow proxies, volume and distances to support and resistance",
    "timeframes": "Indicators of 5-minute, 15-minute, hourly and daily bars, completed bars only",
    "calendar": "Sessions and cycles of New York market time",
}
"""Families that kernels make of bars, a table of silver each."""

NEWS = "news"
FAMILIES: dict[str, str] = {**MARKET_FAMILIES, NEWS: "What the articles known in the last 60 and 15 minutes say"}
"""What a forecaster may learn from; `news` is made of scored articles and lies in `gold.news_signals`."""

FEATURES: tuple[Feature, ...] = (
    *returns.FEATURES,
    *technical.FEATURES,
    *volatility.FEATURES,
    *microstructure.FEATURES,
    *timeframes.FEATURES,
    *calendar.FEATURES,
    *news.FEATURES,
)

_HERE = Path(__file__).parent
# What every family's numbers also depend on.
_SHARED = ("bars.py", "columns.py", "days.py", "market_time.py", "compute.py", "kernels/rolling.py", "kernels/summed.py")
_OF_ARTICLES = ("identity", "lexicon", "phrases", "relevance", "signals", "stories", "texts", "titles", "tone", "topics")
_SOURCES = {
    **{name: (*_SHARED, "batch.py", f"kernels/{name}.py") for name in MARKET_FAMILIES},
    "microstructure": (*_SHARED, "batch.py", *(f"kernels/{name}.py" for name in ("microstructure", "volume", "technical"))),
    "daily_bars": ("batch.py",),
    "market_features": ("batch.py",),
    # Which articles count, what is read of them and how they are summed. The sentiment model's version is a part of manifests.
    NEWS: tuple(f"../news/{name}.py" for name in _OF_ARTICLES),
}


def family(name: str) -> tuple[Feature, ...]:
    """Features of one family, in catalog order."""
    if name not in FAMILIES:
        raise KeyError(f"no feature family {name!r}; known: {', '.join(FAMILIES)}")
    return _by_family()[name]


def feature(name: str) -> Feature:
    """One feature by name; KeyError where there is none."""
    return _by_name()[name]


@cache
def market_inputs() -> tuple[Feature, ...]:
    """Model inputs made of bars: the order of `gold.market_features`."""
    return tuple(f for f in FEATURES if f.model_input and f.family in MARKET_FAMILIES)


@cache
def news_inputs() -> tuple[Feature, ...]:
    """Model inputs made of articles, in the order of `gold.news_signals`."""
    return tuple(f for f in family(NEWS) if f.model_input)


@cache
def model_inputs() -> tuple[Feature, ...]:
    """All inputs of the models, market before news: the order of the training set and of the online vector."""
    return (*market_inputs(), *news_inputs())


def feature_set_hash(names: Sequence[str]) -> str:
    """Hash of the ordered features, their definitions and code: a model is served only with the inputs it learned on."""
    chosen = [_by_name()[name] for name in names]
    return _digest((*(f.identity for f in chosen), *(code_version(family) for family in sorted({f.family for f in chosen}))))


@cache
def code_version(name: str) -> str:
    """Hash of what makes a family's values: definitions, kernel sources (comments and docstrings apart), TA-Lib's version.

    Also answers for the tables `daily_bars` and `market_features`, which are made beside the families.
    """
    families = MARKET_FAMILIES if name == "market_features" else (name,)
    definitions = [f.identity for f in FEATURES if f.family in families]
    sources = [without_wording(_HERE / source) for source in _SOURCES[name]]
    return _digest((*definitions, *sources, version("TA-Lib")))


def source_digest(paths: Iterable[Path]) -> str:
    """Hash of source files, comments, layout and docstrings apart."""
    return _digest(without_wording(path) for path in paths)


@cache
def _by_name() -> dict[str, Feature]:
    named = {f.name: f for f in FEATURES}
    if len(named) != len(FEATURES):
        raise ValueError("two features have one name")
    return named


@cache
def _by_family() -> dict[str, tuple[Feature, ...]]:
    return {name: tuple(f for f in FEATURES if f.family == name) for name in FAMILIES}


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
