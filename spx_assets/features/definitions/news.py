"""Declarations of the family `news`: what the articles known in the 60 and the 15 minutes before a bar began say.

One function of `spx_assets.news` makes them all; inputs are columns of `silver.news_sentiment`. Means are plain means over the
articles that count; where relevance and confidence weigh, the description says so. Names without minutes are of 60.
"""

from spx_assets.features.feature import Feature, declare

_f = declare("news")

_SCORE = "news_sentiment.score"
_CLASSES = ("positive", "negative", "neutral")
LATEST_DAYS = 3  # a weekend and a holiday; it never reaches past the week before


def _window(minutes: int, suffix: str) -> tuple[Feature, ...]:
    def seed(name: str) -> str | None:
        return None if suffix else name

    return (
        _f(f"article_count{suffix}", "signals:at", "news_sentiment.known_at", 0, "articles", 0, None,
           f"Articles known in the last {minutes} minutes, each story once; 0 without any,"
           " also before a provider was ever heard", seed=seed("article_count")),
        _f(f"avg_sentiment{suffix}", "signals:at", _SCORE, 0, "score", -1, 1,
           f"Mean sentiment of the last {minutes} minutes; null without articles", seed=seed("avg_sentiment")),
        _f(f"signal_strength{suffix}", "signals:at", f"{_SCORE} news_sentiment.confidence", 0, "score", 0, 1,
           f"|mean sentiment| of the last {minutes} minutes times the mean confidence", seed=seed("signal_strength")),
        _f(f"trading_signal{suffix}", "signals:at", f"{_SCORE} news_sentiment.confidence", 0, "flag", -1, 1,
           f"1 or -1 where the mean sentiment of {minutes} minutes is beyond 0.2 and its strength above 0.3, else 0",
           seed=seed("trading_signal")),
    )


FEATURES = (
    *_window(60, ""),
    _f("quality_score", "signals:at", "news_sentiment.confidence", 0, "share", 0, 1,
       "Mean confidence of the sentiment model over 60 minutes", seed="quality_score"),
    *(
        _f(f"{name}_prob", "signals:at", f"news_sentiment.{name}", 0, "share", 0, 1,
           f"Mean probability of a {name} article over 60 minutes", model_input=name != "neutral", seed=f"{name}_prob")
        for name in _CLASSES  # the third is one less the others
    ),
    _f("relevant_sentiment", "signals:at", f"{_SCORE} news_sentiment.confidence news_sentiment.relevance", 0, "score", -1, 1,
       "Mean over 60 minutes of sentiment x relevance to the instrument x confidence"),
    _f("avg_relevance", "signals:at", "news_sentiment.relevance", 0, "share", 0, 1,
       "Mean relevance to the instrument over 60 minutes"),
    _f("avg_policy_tone", "signals:at", "news_sentiment.policy_tone", 0, "score", -1, 1,
       "Mean of hawkish less dovish words over 60 minutes", seed="policy tone"),
    _f("avg_polarity", "signals:at", "news_sentiment.polarity", 0, "score", -1, 1,
       "Mean of positive less negative words over 60 minutes", seed="polarity"),
    _f("avg_subjectivity", "signals:at", "news_sentiment.subjectivity", 0, "share", 0, 1,
       "Mean share of judging words over 60 minutes", seed="subjectivity"),
    _f("novelty", "signals:at", "news_sentiment.duplicate_of", 0, "share", 0, 1,
       "Share of first tellings among all articles of 60 minutes, those that tell a story again included"),
    _f("minutes_since_last", "signals:at", "news_sentiment.known_at", 0, "minutes", 0, LATEST_DAYS * 1440,
       f"Minutes since the newest article that counts; null where the last {LATEST_DAYS} days had none"),
    *_window(15, "_15"),
)
