"""The labelled sets the embedded scorer is learned from and judged on, as (text, class).

Belongs here: reading SEntFiN, Twitter financial news and FiQA from the folder given, cleaning, splitting. Does not: copies of
their rows in the project, sentences made by rules (`figures`, `events`, `releases`).
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import polars as pl

CLASSES = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
TWEETS = {"bearish": NEGATIVE, "neutral": NEUTRAL, "bullish": POSITIVE}
# `Decisions` is a Python dict in print, but some entities hold an apostrophe: only its values can be read.
DECISION = re.compile(r":\s*'(positive|negative|neutral)'")
NOISE = re.compile(r"https?://\S+|#\w+|@\w+|\(?via @?\w+\)?$|^RT\b:?|^\$\w+ ?[-:] |^[A-Z]{2,5} : |\.\.\. ?[A-Z]?[^.]*…$|…")


@dataclass(frozen=True)
class Example:
    text: str
    label: int


@dataclass(frozen=True)
class Corpus:
    """What is learned from, and what is only judged on, by set."""

    learn: tuple[Example, ...]
    tweets: tuple[Example, ...]
    held: dict[str, tuple[Example, ...]]


def read(folder: Path, seed: int) -> Corpus:
    """The three sets in `folder`; a tenth of SEntFiN, the `valid` part of the tweets and all of FiQA are held out."""
    headlines = sentfin(folder)
    random.Random(seed).shuffle(headlines)
    held = len(headlines) // 10
    tweets = {part: twitter(folder, part) for part in ("train", "valid")}
    sets = {
        "SEntFiN, held out": headlines[:held],
        "Twitter financial news, valid": tweets["valid"],
        "FiQA headlines": fiqa(folder),
    }
    unseen = {key(example.text) for examples in sets.values() for example in examples}
    learn = unique(example for example in headlines[held:] if key(example.text) not in unseen)
    return Corpus(
        learn=learn,
        tweets=unique(example for example in tweets["train"] if key(example.text) not in unseen),
        held={name: tuple(examples) for name, examples in sets.items()},
    )


def sentfin(folder: Path) -> list[Example]:
    """Headlines whose entities agree; those that pull both ways say nothing of the whole."""
    rows = pl.read_parquet(folder / "sentfin.parquet", columns=["Title", "Decisions"])
    found = []
    for title, decisions in rows.iter_rows():
        labels = set(DECISION.findall(decisions)) - {"neutral"} or {"neutral"}
        if len(labels) == 1:
            found.append(Example(plain(title), CLASSES.index(labels.pop())))
    return found


def twitter(folder: Path, part: str) -> list[Example]:
    """Tweets without what only a tweet has: addresses, hash tags, cash tags that open it."""
    rows = pl.read_parquet(folder / "twitter_financial_news.parquet").filter(pl.col("split") == part)
    cleaned = ((plain(text), TWEETS[label]) for text, label in rows.select("text", "label_name").iter_rows())
    return [Example(text, label) for text, label in cleaned if len(text.split()) >= 3]


def fiqa(folder: Path) -> list[Example]:
    """Headlines by their mean score: beyond 0.3 a side, within 0.1 neutral, between neither."""
    rows = pl.read_parquet(folder / "fiqa_task1.parquet").filter(pl.col("kind") == "headline")
    scores = rows.group_by("sentence", maintain_order=True).agg(pl.col("sentiment_score").mean())
    sides = ((plain(text), score) for text, score in scores.iter_rows())
    return [
        Example(text, POSITIVE if score > 0.3 else NEGATIVE if score < -0.3 else NEUTRAL)
        for text, score in sides
        if abs(score) > 0.3 or abs(score) < 0.1
    ]


def plain(text: str) -> str:
    return " ".join(NOISE.sub(" ", unescape(text)).split())


def key(text: str) -> str:
    """What makes two texts one: their words, without case or punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))


def unique(examples: Iterable[Example]) -> tuple[Example, ...]:
    return tuple({key(example.text): example for example in examples}.values())
