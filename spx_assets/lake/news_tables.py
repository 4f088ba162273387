"""Table contracts of news: what providers said, what is kept of it, how it sounds, what it says at each bar.

Belongs here: the tables of news in bronze, silver and gold. Does not: the columns of `gold.news_signals` that are features,
which are the catalog's, other tables (`tables`), reading or writing rows.
"""

from functools import cache

from spx_assets.features import catalog
from spx_assets.lake.schema import Column, Table

ARTICLE_ID = Column("article_id", "VARCHAR", "Digest of the canonical address, or of the normalised title and the source")
REVISION = Column("revision", "INTEGER", "0 for the first wording, one more with each correction", low=0)
KNOWN_AT = Column("known_at", "TIMESTAMPTZ", "From when a feature may know it, UTC: first seen; of a dated archive, published")

NEWS_FEEDS = Table(
    "bronze.news_feeds",
    "Which news providers the home listens to, and how far each was heard",
    (
        Column("provider", "VARCHAR", "gdelt, rss, alphavantage, finnhub, files or simulator"),
        Column("live", "BOOLEAN", "True: polled by the online job; false: an archive"),
        Column("config", "VARCHAR", "JSON: what was asked of it; never a key"),
        Column("cursor", "VARCHAR", "JSON: where the next poll goes on", nullable=True),
        Column("polled_at", "TIMESTAMPTZ", "End of the last successful poll or import", nullable=True),
        Column("bound_at", "TIMESTAMPTZ", "When the home began to listen"),
    ),
    key=("provider",),
    time=None,
    small=True,
)

NEWS_FILES = Table(
    "bronze.news_files",
    "Content-addressed batches of articles in the landing folder, in the order they came",
    (
        Column("provider", "VARCHAR", "Where the batch came from"),
        Column("position", "INTEGER", "Order of arrival over all providers, from 0", low=0),
        Column("rows_sha256", "VARCHAR", "Digest of its judged rows: <digest>.news.parquet in the landing folder"),
        Column("name", "VARCHAR", "Original file name, or the window asked of the provider"),
        Column("rows", "BIGINT", "Rows in the batch, refused ones included", low=0),
        Column("first_known_at", "TIMESTAMPTZ", "Earliest known_at in it"),
        Column("last_known_at", "TIMESTAMPTZ", "Latest known_at in it"),
        Column("landed_at", "TIMESTAMPTZ", "When it was kept"),
    ),
    key=("position",),
    time=None,
    small=True,
)

NEWS = Table(
    "bronze.news",
    "Articles by the time they were known, each wording once, near-duplicates linked",
    (
        ARTICLE_ID,
        REVISION,
        KNOWN_AT,
        Column("provider", "VARCHAR", "Who delivered it first"),
        Column("source", "VARCHAR", "Publisher as the provider names it"),
        Column("title", "VARCHAR", "Headline, as text"),
        Column("body", "VARCHAR", "Text or summary, where the provider gives one", nullable=True),
        Column("url", "VARCHAR", "Address as delivered", nullable=True),
        Column("language", "VARCHAR", "ISO 639-1 code", nullable=True),
        Column("published_at", "TIMESTAMPTZ", "Publication, UTC; midnight where only the date is known"),
        Column("first_seen_at", "TIMESTAMPTZ", "When the provider or the first poll saw it, UTC"),
        Column("ingested_at", "TIMESTAMPTZ", "When this home kept it, UTC"),
        Column("time_precision", "VARCHAR", "minute, or day: then it is known from the next day on"),
        Column("author", "VARCHAR", "As the provider gives it", nullable=True),
        Column("provider_sentiment", "DOUBLE", "The provider's own score, -1 to 1", nullable=True, low=-1, high=1),
        Column("duplicate_of", "VARCHAR", "article_id of the first telling of the same story; null for the first", nullable=True),
        Column("raw", "VARCHAR", "The record as delivered, JSON"),
    ),
    key=("article_id", "revision"),
    time="known_at",
    clocked=False,
)

NEWS_QUARANTINE = Table(
    "bronze.news_quarantine",
    "Records of news providers that are not articles, with the reason",
    (
        Column("provider", "VARCHAR", "Where the record came from"),
        Column("batch", "VARCHAR", "Digest of the batch it came in"),
        Column("line", "BIGINT", "Number of the record in its batch, from 0", low=0),
        Column("ts", "TIMESTAMPTZ", "When the batch came, or the record's publication where that was readable"),
        Column("reason", "VARCHAR", "Why the record was refused"),
        Column("raw", "VARCHAR", "The record as delivered"),
    ),
    key=("batch", "line"),
    clocked=False,
    records=False,
    small=True,
)

NEWS_SENTIMENT = Table(
    "silver.news_sentiment",
    "How each article sounds, and how much it is about an instrument",
    (
        Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD"),
        ARTICLE_ID,
        REVISION,
        KNOWN_AT,
        Column("source", "VARCHAR", "Publisher"),
        Column("title", "VARCHAR", "Headline"),
        Column("duplicate_of", "VARCHAR", "article_id of the first telling of the same story; null for the first", nullable=True),
        Column("model_id", "VARCHAR", "Sentiment model and its digest"),
        Column("text_hash", "VARCHAR", "Digest of the text that was scored"),
        Column("positive", "DOUBLE", "Probability", low=0, high=1),
        Column("negative", "DOUBLE", "Probability", low=0, high=1),
        Column("neutral", "DOUBLE", "Probability", low=0, high=1),
        Column("score", "DOUBLE", "positive - negative", low=-1, high=1),
        Column("confidence", "DOUBLE", "Probability of the likeliest class", low=0, high=1),
        Column("policy_tone", "DOUBLE", "Hawkish less dovish words, as a share of both; 0 without any", low=-1, high=1),
        Column("polarity", "DOUBLE", "Positive less negative words of a finance lexicon, as a share of both", low=-1, high=1),
        Column("subjectivity", "DOUBLE", "Share of words that judge rather than tell", low=0, high=1),
        Column("words", "INTEGER", "Length of the text", low=0),
        Column("relevance", "DOUBLE", "How much the article is about the instrument", low=0, high=1),
    ),
    key=("instrument", "article_id", "revision"),
    time="known_at",
    clocked=False,
)


@cache
def news_signals() -> Table:
    """What news said at each bar: the features of the family `news`, and the latest headline for people."""
    return Table(
        "gold.news_signals",
        "What the news of the last 60 and 15 minutes said, one row a bar",
        (
            Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD"),
            Column("ts", "TIMESTAMPTZ", "Start of the minute, UTC; only articles known by then count"),
            Column("trading_day", "DATE", "Date on which the 17:00-to-17:00 New York day ends"),
            *(
                Column(
                    f.name,
                    "FLOAT" if f.model_input else "DOUBLE",
                    f.description,
                    nullable=True,
                    unit=f.unit,
                    low=f.low,
                    high=f.high,
                )
                for f in catalog.family("news")
            ),
            Column("latest_headline", "VARCHAR", "Title of the newest article in the window, for people", nullable=True),
            Column("latest_source", "VARCHAR", "Its publisher", nullable=True),
        ),
        key=("instrument", "ts"),
    )
