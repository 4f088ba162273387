"""Tone: what a text says of policy, how it praises or blames, how much it judges. By counting words, beside the model.

Belongs here: the numbers of one text. Does not: the words (`lexicon`), the sentiment model, articles.
"""

from collections.abc import Sequence

import polars as pl

from spx_assets.news import lexicon, titles
from spx_assets.news.phrases import Phrases

# How far before a word or phrase what turns it round may stand: "no sign of recovery" is two words.
REACH = 3
SCHEMA = {"policy_tone": pl.Float64(), "polarity": pl.Float64(), "subjectivity": pl.Float64(), "words": pl.Int32()}


def tones(texts: pl.Series) -> pl.DataFrame:
    """(policy_tone, polarity, subjectivity, words), one row a text, in order.

    policy_tone: hawkish less dovish phrases, polarity: praising less blaming words, each as a share of both and 0 without any.
    What is denied counts on the other side. subjectivity: share of words that judge. words: how many there are.
    """
    split = pl.DataFrame({"text": texts}).select(titles.words(pl.col("text")))["text"]
    return pl.DataFrame([tone(words) for words in split.to_list()], schema=SCHEMA, orient="row")


def tone(words: Sequence[str]) -> tuple[float, float, float, int]:
    """The four numbers of one text, of its words in lower case."""
    praise = [_signed(words, i, lexicon.NEGATIONS) for i, word in enumerate(words) if word in lexicon.POSITIVE]
    praise += [-_signed(words, i, lexicon.NEGATIONS) for i, word in enumerate(words) if word in lexicon.NEGATIVE]
    judging = sum(word in lexicon.JUDGING for word in words)
    return _balance(_policy(words)), _balance(praise), judging / len(words) if words else 0.0, len(words)


def _policy(words: Sequence[str]) -> list[int]:
    """+1 for each hawkish phrase, -1 for each dovish one; turned round where it is denied or stopped."""
    return [sign * _signed(words, at, _TURNS) for at, sign in _POLICY.found(words)]


def _signed(words: Sequence[str], at: int, turns: frozenset[str]) -> int:
    """-1 if an odd number of the words just before `at` turn round what stands there, else +1."""
    return -1 if sum(word in turns for word in words[max(0, at - REACH) : at]) % 2 else 1


def _balance(signs: Sequence[int]) -> float:
    return sum(signs) / len(signs) if signs else 0.0


_TURNS = lexicon.NEGATIONS | lexicon.STOPS
_POLICY = Phrases({**dict.fromkeys(lexicon.HAWKISH, 1), **dict.fromkeys(lexicon.DOVISH, -1)})
