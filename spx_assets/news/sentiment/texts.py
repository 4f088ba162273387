"""What every scorer does with texts before and with probabilities after.

Belongs here: the form of input and output that all scorers share. Does not: any model.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

CLASSES = ("negative", "neutral", "positive")
MAX_CHARACTERS = 4_000
"""Of a text, more is not read: 512 tokens, the most a model takes, are about 2,500 characters of English."""


def readable(texts: Sequence[str]) -> list[str]:
    """Texts cut to what a model reads, with halves of surrogate pairs (which no tokenizer takes) replaced by "?"."""
    if isinstance(texts, str):
        raise TypeError("score takes a sequence of texts, not one text: score([text])")
    return [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]


def frame(probabilities: NDArray[np.floating]) -> pl.DataFrame:
    """Rows of negative, neutral, positive as Float64 that sum to 1 to the last bits."""
    exact = np.asarray(probabilities, np.float64).reshape(-1, len(CLASSES))
    return pl.DataFrame(exact / exact.sum(axis=1, keepdims=True), schema=dict.fromkeys(CLASSES, pl.Float64))
