"""How a text sounds to an investor: probabilities of negative, neutral and positive.

Belongs here: choosing a scorer by name or folder. Does not: reading or keeping articles, the cache of scores, signals. A scorer's
libraries (onnxruntime, or transformers and torch) are imported when it is loaded, not with this package.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import polars as pl

from spx_assets import settings as spx_settings
from spx_assets.news.model_version import EMBEDDED as EMBEDDED
from spx_assets.news.sentiment.errors import SentimentDependencyError
from spx_assets.settings import NewsSettings


class Scorer(Protocol):
    @property
    def model_id(self) -> str:
        """Name and digest of all that decides a score: weights, tokenizer, precision. Another id, other scores."""

    def score(self, texts: Sequence[str]) -> pl.DataFrame:
        """Float64 columns negative, neutral, positive that sum to 1: one row a text, in the order of `texts`."""


def load(model: str | Path = EMBEDDED, settings: NewsSettings | None = None) -> Scorer:
    """The scorer shipped with the package, or one of a folder or a model hub.

    `model`: "embedded"; a folder of the embedded scorer's form (as its training writes) or of FinBERT's (config.json with
    id2label, weights, tokenizer); a hub name such as ProsusAI/finbert. `settings` default to those of the home.
    Raises `errors.SentimentError` of the kind that says what to do.
    """
    chosen = settings or spx_settings.load().news
    folder = Path(model).expanduser()
    from spx_assets.news.sentiment import embedded

    if str(model) == EMBEDDED:
        return embedded.load(embedded.SHIPPED, name=EMBEDDED, threads=chosen.threads)
    if (folder / embedded.MANIFEST).is_file():
        return embedded.load(folder, name=folder.name, threads=chosen.threads)
    try:
        from spx_assets.news.sentiment import finbert
    except ModuleNotFoundError as error:
        raise SentimentDependencyError(
            f"the sentiment model {model} runs on transformers and torch, and {error.name} is not installed; "
            "install the extra spx-assets[torch], or use SPX_NEWS__MODEL=embedded"
        ) from error
    return finbert.load(str(folder) if folder.is_dir() else str(model), batch=chosen.batch, precision=chosen.precision)
