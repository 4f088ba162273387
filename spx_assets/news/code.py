"""Which code makes the tables of news: digests of its sources, so that what other code made is stale.

Belongs here: which modules decide an article's identity, the rows of bronze.news and of silver.news_sentiment. Does not: those of
gold.news_signals (`features.catalog`), settings and model files, which are hashed beside.
"""

from pathlib import Path

from spx_assets.features import catalog

_HERE = Path(__file__).parent
_IDENTITY = ("addresses", "identity", "titles")
_ARTICLES = (*_IDENTITY, "bronze", "lexicon", "stories")
_SENTIMENT = ("lexicon", "phrases", "relevance", "silver", "texts", "titles", "tone", "topics")


def identity() -> str:
    """Of what gives a record its article id."""
    return _digest(_IDENTITY)


def articles() -> str:
    """Of what makes rows of bronze.news of landed records."""
    return _digest(_ARTICLES)


def sentiment() -> str:
    """Of what makes rows of silver.news_sentiment of articles, the sentiment model apart."""
    return _digest(_SENTIMENT)


def _digest(modules: tuple[str, ...]) -> str:
    return catalog.source_digest(_HERE / f"{module}.py" for module in modules)
