"""Which kept scores of texts are of no use any more.

Belongs here: the model and the texts whose scores stay. Does not: the file of scores (`news.sentiment_cache`), scoring.
"""

from datetime import datetime, timedelta

from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.news import model_version, sentiment_cache
from spx_assets.settings import Settings


def forget(lake: Lake, settings: Settings, *, now: datetime) -> int:
    """Drop scores of other models than the one set, and of texts no longer in the lake, once they were so for the days set.

    Nothing where the model's files cannot be seen from here (a hub model that another machine runs): which scores are its own
    is then not known.
    """
    kept = sentiment_cache.path(settings)
    if not kept.is_file():
        return 0
    cache = sentiment_cache.SentimentCache(kept)
    model_id = cache.model_id(model_version.version(settings.news))
    if model_id is None:
        return 0
    hashes = lake.read(NEWS_SENTIMENT, columns=["text_hash"])["text_hash"].unique().to_list()
    return cache.forget(model_id, hashes, now=now, older_than=timedelta(days=settings.upkeep.scores_days))
