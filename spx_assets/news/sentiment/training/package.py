"""The folder of a learned scorer: network, tokenizer, manifest with digests and golden rows.

Belongs here: writing that folder. Does not: reading it (`embedded`), the model card's words (`card`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from spx_assets.news.sentiment import embedded
from spx_assets.news.sentiment.texts import CLASSES
from spx_assets.news.sentiment.training import card, graph, levels
from spx_assets.news.sentiment.training.judge import Judgement
from spx_assets.news.sentiment.training.network import Network

GOLDEN = (
    "Operating profit rose to EUR 14.2 million from EUR 9.8 million a year earlier.",
    "The company issued a profit warning and will cut 300 jobs.",
    "The annual general meeting will be held in Helsinki on 21 March.",
    "Shares plunge after regulator opens fraud investigation",
    "Stocks rally as Fed signals lower rates",
    "",
)
MAX_BYTES = 12_000_000
"""What the package may weigh with it."""


def write(folder: Path, network: Network, tokenizer: str, sample: Sequence[list[int]]) -> None:
    """Replace the scorer in `folder`; its golden rows are what it says itself, read back from the files.

    `sample`: texts that its activations' levels are learned from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    built = graph.build(network, levels.learned(network, sample))
    content = {embedded.MODEL: built.SerializeToString(), embedded.TOKENIZER: tokenizer.encode()}
    size = sum(map(len, content.values()))
    if size > MAX_BYTES:
        raise ValueError(f"the scorer weighs {size:,} bytes, {MAX_BYTES:,} are allowed; choose fewer layers or tokens")
    for name, written in content.items():
        (folder / name).write_bytes(written)
    manifest = {
        "schema": embedded.SCHEMA,
        "classes": CLASSES,
        "sha256": {name: hashlib.sha256(written).hexdigest() for name, written in content.items()},
    }
    path = folder / embedded.MANIFEST
    path.write_text(json.dumps(manifest))
    scores = embedded.load(folder, name=folder.name, threads=1).score(GOLDEN)
    golden = [{"text": text, **row} for text, row in zip(GOLDEN, scores.to_dicts(), strict=True)]
    path.write_text(json.dumps({**manifest, "golden": golden}, indent=1) + "\n")


def describe(folder: Path, judgements: Mapping[str, Judgement], facts: Mapping[str, object]) -> None:
    """Write the card of the scorer in `folder`."""
    sha256 = embedded.read_manifest(folder)["sha256"][embedded.MODEL]
    megabytes = sum((folder / name).stat().st_size for name in (embedded.MODEL, embedded.TOKENIZER)) / 1e6
    (folder / "card.md").write_text(card.text(judgements, {"sha256": sha256, "megabytes": megabytes, **facts}))
