"""Learn the embedded scorer and write its folder.

Belongs here: the recipe and its command line. Does not: any of its steps.
"""

import argparse
import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from spx_assets.news.sentiment import embedded
from spx_assets.news.sentiment.training import corpus, events, figures, handwritten, learn, network, package, releases, vocabulary
from spx_assets.news.sentiment.training.corpus import Example
from spx_assets.news.sentiment.training.judge import Judgement, judge

log = logging.getLogger("spx_assets.news.sentiment.training")
LAYERS = (0, 1, 2, 4, 5)
"""Of MiniLM's six: for the third from the end 12 MB leave no room beside 14,000 tokens."""
INNER = 768
"""Units of a feed-forward kept of 1,536: with 1,024 four layers were judged alike, and took a tenth more time."""
SAMPLE = 400
"""Texts that say which units to keep and how wide activations are."""
TOKENS = 14_000
"""Of 384 bytes each; with five layers the files then weigh 11.8 MB."""
FIGURES, EVENTS, RELEASES = 2_500, 2_500, 4_000
NEUTRAL_TWEETS = 0.35
"""Share of the neutral tweets that an epoch draws: most only name a ticker or a page, unlike a report's facts."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m spx_assets.news.sentiment.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of sentfin.parquet and the other sets")
    parser.add_argument("--out", type=Path, default=embedded.SHIPPED, help="folder that is written; default: the shipped scorer")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(chosen.threads)
    sets = corpus.read(chosen.data, chosen.seed)
    drawn = [epoch(sets, random.Random(chosen.seed * 1_000 + number)) for number in range(chosen.epochs)]
    kept = vocabulary.choose((example.text for examples in drawn for example in examples), TOKENS)
    written = vocabulary.cut(kept)
    tokenizer = Tokenizer.from_str(written)
    sample = learn.code(tokenizer, [example.text for example in drawn[0][:SAMPLE]])
    start = network.narrowed(network.start(kept, LAYERS), learn.padded(sample), INNER)

    def watched(now: network.Network) -> None:
        judged(lambda texts: learn.logits(now, learn.code(tokenizer, texts)), sets)

    coded = [code(tokenizer, examples) for examples in drawn]
    made = learn.learn(start, coded, learn.Plan(), chosen.seed, watched)
    package.write(chosen.out, made, written, sample)
    shipped = embedded.load(chosen.out, name="learned", threads=chosen.threads)
    found = judged(lambda texts: shipped.score(texts).to_numpy(), sets)
    facts = {
        "epochs": chosen.epochs,
        "seed": chosen.seed,
        "threads": chosen.threads,
        "headlines": len(sets.learn),
        "tweets": len(sets.tweets),
        "rules": FIGURES + EVENTS + RELEASES,
        "drawn": f"{NEUTRAL_TWEETS:.0%}",
        "layers": len(LAYERS),
        "inner": f"{INNER:,}",
        "tokens": len(kept),
        "sample": SAMPLE,
    }
    package.describe(chosen.out, found, facts)


def epoch(sets: corpus.Corpus, rng: random.Random) -> list[Example]:
    """What one pass learns from, in random order."""
    tweets = [tweet for tweet in sets.tweets if tweet.label != corpus.NEUTRAL or rng.random() < NEUTRAL_TWEETS]
    rules = ((figures.make, FIGURES), (events.make, EVENTS), (releases.make, RELEASES))
    examples = [*sets.learn, *tweets, *(make(rng) for make, count in rules for _ in range(count))]
    rng.shuffle(examples)
    return examples


def code(tokenizer: Tokenizer, examples: Sequence[Example]) -> learn.Coded:
    targets = np.eye(len(corpus.CLASSES), dtype=np.float32)[[example.label for example in examples]]
    return learn.Coded(learn.code(tokenizer, [example.text for example in examples]), targets, np.ones(len(examples), np.float32))


def judged(score: Callable[[list[str]], NDArray[np.floating]], sets: corpus.Corpus) -> dict[str, Judgement]:
    """Judgements by held-out set, logged."""
    found = {}
    for name, examples in {**sets.held, "Report sentences, handwritten": handwritten.EXAMPLES}.items():
        found[name] = judge(score([example.text for example in examples]), [example.label for example in examples])
        log.info("%s: %s", name, found[name])
    return found


if __name__ == "__main__":
    main()
