"""Sentiment of headlines: the shipped scorer, and a network of BERT-base's size beside the plain transformers pipeline."""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
import transformers

from spx_assets.news import sentiment
from spx_assets.news.sentiment import finbert
from spx_assets.news.sentiment.texts import CLASSES
from spx_assets.settings import NewsSettings
from spx_assets_tests.benchmarks.line import Line, spent

SMALL, LARGE, LARGE_ON_GPU, ROUNDS = 4_000, 512, 16_000, 3
WORDS = [
    "shares",
    "profit",
    "sales",
    "company",
    "bank",
    "rose",
    "fell",
    "after",
    "in",
    "the",
    "of",
    "market",
    "oil",
    "fed",
    "rates",
    "euro",
    "quarter",
    "group",
    "says",
    "stock",
    "new",
    "price",
]


def run() -> list[Line]:
    shipped = sentiment.load("embedded", NewsSettings())
    short = headlines(SMALL)
    with spent() as used:
        shipped.score(short)
    with tempfile.TemporaryDirectory() as folder:
        base = bert_base(Path(folder))
        return [
            Line("embedded sentiment, headlines of about 25 tokens", SMALL / used.wall_s, 800.0, "/s", at_least=True),
            Line("the same, a second of one core", SMALL / used.cpu_s, None, "/s", at_least=True),
            *on_cpu(base, headlines(LARGE)),
            *(on_gpu(base, headlines(LARGE_ON_GPU)) if torch.cuda.is_available() else []),
        ]


def on_cpu(base: Path, texts: list[str]) -> list[Line]:
    # The budget is of bf16 instructions: without them bf16 is slower than float32, whose figure would say nothing of it.
    native = finbert.native_bf16()
    precision = "bf16" if native else "float32"
    scorer = on("cpu", base, precision)
    plain = transformers.pipeline("text-classification", model=str(base), batch_size=64, top_k=None, device="cpu")
    # Warm, then in turns: a slow minute of the machine slows both.
    scorer.score(texts[:64])
    plain(texts[:64])
    rounds = [
        (per_second(lambda: scorer.score(texts), len(texts)), per_second(lambda: plain(texts), len(texts))) for _ in range(ROUNDS)
    ]
    ours = median(round_[0] for round_ in rounds)
    ratio = median(one / other for one, other in rounds)
    bf16 = Line("sentiment of BERT-base's size, bf16, CPU", ours if native else None, 100.0, "/s", at_least=True)
    return [
        *([bf16] if native else [bf16, Line("the same in float32, CPU", ours, None, "/s", at_least=True)]),
        Line(f"the same, {precision}, CPU, times the plain pipeline of 64, median of {ROUNDS}", ratio, 2.0, "x", at_least=True),
    ]


def on_gpu(base: Path, texts: list[str]) -> list[Line]:
    scorer = on("cuda", base, "bf16")
    # The first batches load kernels.
    scorer.score(texts[:LARGE])
    return [Line("the same, bf16, GPU", per_second(lambda: scorer.score(texts), len(texts)), None, "/s", at_least=True)]


def on(device: str, base: Path, precision: str) -> finbert.FinBert:
    """The scorer on that device, whichever it would choose by itself."""
    scorer = finbert.load(str(base), batch=NewsSettings().batch, precision=precision)
    scorer.model.to(device)
    return scorer


def headlines(count: int) -> list[str]:
    """Of 8 to 60 words, 25 in the mean, as lengths of headlines with a first sentence are spread."""
    rng = random.Random(count)
    return [" ".join(rng.choices(WORDS, k=min(60, max(6, round(rng.lognormvariate(3.05, 0.4)))))) for _ in range(count)]


def per_second(work: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def bert_base(folder: Path) -> Path:
    """BERT-base as it starts out: what a score costs does not depend on what was learned."""
    names = dict(enumerate(CLASSES))
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=512)
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(id2label=names, label2id={name: number for number, name in names.items()})
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder
