"""Rows of silver.news_sentiment made for tests: a few by hand, many at random.

Belongs here: frames. Does not: assertions, models of sentiment.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from spx_assets.lake.news_tables import NEWS_SENTIMENT

_ROW: dict[str, Any] = {
    "instrument": "SPX500_USD",
    "article_id": "a",
    "revision": 0,
    "source": "wire",
    "title": "Stocks rise",
    "duplicate_of": None,
    "model_id": "test",
    "text_hash": "hash",
    "positive": 0.7,
    "negative": 0.1,
    "neutral": 0.2,
    "score": 0.6,
    "confidence": 0.7,
    "policy_tone": 0.0,
    "polarity": 0.0,
    "subjectivity": 0.0,
    "words": 5,
    "relevance": 1.0,
}


def article(known_at: datetime, **changes: Any) -> dict[str, Any]:
    """One row; positive and negative, if given, say the score, the neutral share and the confidence."""
    row = {**_ROW, "known_at": known_at, **changes}
    if {"positive", "negative"} <= changes.keys():
        row["neutral"] = 1.0 - row["positive"] - row["negative"]
        row["score"] = row["positive"] - row["negative"]
        row["confidence"] = max(row["positive"], row["negative"], row["neutral"])
    return row


def frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=NEWS_SENTIMENT.schema(), orient="row")


def at_random(start: datetime, end: datetime, rows: int, *, seed: int = 0, instrument: str = "SPX500_USD") -> pl.DataFrame:
    """Articles at random seconds of [start, end): a tenth are corrected later, a tenth tell a story again."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, int((end - start).total_seconds()), rows))
    made = []
    for k, second in enumerate(seconds):
        positive, negative, _ = rng.dirichlet([0.6, 0.6, 0.8])
        known = start + timedelta(seconds=int(second))
        again = f"{seed}-{k - 1}" if k and rng.random() < 0.1 else None
        tones = dict(zip(("policy_tone", "polarity", "subjectivity", "relevance"), rng.random(4).tolist(), strict=True))
        told = {"article_id": f"{seed}-{k}", "instrument": instrument, "title": f"Title {seed}-{k}", **tones}
        made.append(article(known, positive=float(positive), negative=float(negative), duplicate_of=again, **told))
        corrected = known + timedelta(seconds=int(rng.integers(0, 5400)))
        if rng.random() < 0.1 and corrected < end:
            made.append(article(corrected, positive=float(negative), negative=float(positive), revision=1, **told))
    return frame(made)
