"""The scorer that is shipped: a small FinBERT-like network in int8, run by onnxruntime and tokenizers alone.

Belongs here: reading and checking the folder's files, scoring. Does not: learning (`training`), models of other forms
(`finbert`). Beside this file lie the network, its tokenizer, the manifest with their digests, and the model card.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from spx_assets.news.sentiment.embedded.amounts import told
from spx_assets.news.sentiment.errors import SentimentModelAlteredError, SentimentModelForeignError, SentimentModelMissingError
from spx_assets.news.sentiment.texts import CLASSES, frame, readable

SHIPPED = Path(__file__).parent
MANIFEST, MODEL, TOKENIZER = "sentiment.json", "model.onnx", "tokenizer.json"
SCHEMA = 4
"""Changes with the form of the files and with how texts are read (`amounts`): both go with the weights."""
TOKENS = 512
"""Of the texts that are run together, some 20 headlines: a product of 400 rows takes a third less time a row than one of 25, or
of 1,600, which leave the processor's cache."""
Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """Scores texts of one length together, so that none is padded: a text's numbers depend neither on order nor on neighbours,
    to the last bit (see `training.graph`)."""

    model_id: str
    tokenizer: Tokenizer
    session: Any
    threads: int

    def score(self, texts: Sequence[str]) -> pl.DataFrame:
        coded = code(self.tokenizer, texts)
        made = np.empty((len(coded), len(CLASSES)), np.float32)

        def fill(rows: list[int]) -> None:
            ids = np.array([coded[row] for row in rows], np.int64)
            made[rows] = self.session.run(["probabilities"], {"ids": ids})[0]

        # A thread a batch: onnxruntime's own threads wait for each other after every node.
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(fill, batches(coded)))
        return frame(made)


def code(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Texts as the network reads them, in scoring and in learning: numbers of tokens."""
    return [coded.ids for coded in tokenizer.encode_batch_fast([told(text) for text in readable(texts)])]


def batches(coded: Sequence[list[int]]) -> list[list[int]]:
    """Rows of `coded` by equal length, the longest first, of at most TOKENS tokens together."""
    of_length: dict[int, list[int]] = defaultdict(list)
    for row, ids in enumerate(coded):
        of_length[len(ids)].append(row)
    return [
        rows[at : at + size]
        for length, rows in sorted(of_length.items(), reverse=True)
        for size in [TOKENS // length]
        for at in range(0, len(rows), size)
    ]


def load(folder: Path, *, name: str, threads: int) -> Embedded:
    """The scorer in `folder`, every file checked against the manifest."""
    manifest = read_manifest(folder)
    content = {file: read_checked(folder / file, sha256) for file, sha256 in manifest["sha256"].items()}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content[MODEL], options, providers=["CPUExecutionProvider"])
    digest = hashlib.sha256(json.dumps([SCHEMA, manifest["sha256"]], sort_keys=True).encode()).hexdigest()[:12]
    return Embedded(f"{name}@{digest}", Tokenizer.from_str(content[TOKENIZER].decode()), session, threads)


def read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise SentimentModelMissingError(f"{path} is missing; install the package again, or train with `--out {folder}`")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        fits = (
            manifest["schema"] == SCHEMA and tuple(manifest["classes"]) == CLASSES and {MODEL, TOKENIZER} <= {*manifest["sha256"]}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SentimentModelForeignError(f"{path} is no manifest of a sentiment model ({error}); train it again") from error
    if not fits:
        raise SentimentModelForeignError(f"{path} is of another schema than {SCHEMA}; train the model with this version")
    return manifest


def read_checked(path: Path, sha256: str) -> bytes:
    if not path.is_file():
        raise SentimentModelMissingError(f"{path} is missing; install the package again, or train the model again")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SentimentModelAlteredError(
            f"{path} has sha256 {found[:12]}..., the manifest says {sha256[:12]}...: cut or changed; install the package again"
        )
    return content
