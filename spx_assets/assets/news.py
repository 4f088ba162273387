"""News: what providers said, week by week, and how it sounds.

Belongs here: assets made of articles alone. Does not: identity, scoring, signals at bars (`gold`).
"""

import dagster as dg

from spx_assets.assets import news_feeds
from spx_assets.assets.io import weeks_of
from spx_assets.lake import Chunks, Lake, Window
from spx_assets.news import bronze, silver
from spx_assets.settings import Settings


@dg.asset(key=["bronze", "news"], deps=[news_feeds.KEY])
def news(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> Chunks:
    """Articles by the time they were known, each wording once; what is no article goes to bronze.news_quarantine."""
    return bronze.by_week(Lake.open(settings), weeks_of(context))


@dg.asset(key=["silver", "news_sentiment"], ins={"news": dg.AssetIn(["bronze", "news"])})
def news_sentiment(news: Window) -> Chunks:
    """How each article sounds, and how much it is about each instrument that has a candle feed."""
    return silver.by_week(news)
