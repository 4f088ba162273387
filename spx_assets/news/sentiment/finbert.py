"""Any three-class classifier in FinBERT's form, from a folder or the model hub, through transformers and torch.

Belongs here: loading, checking labels, batches by length, precision, running out of memory. Does not: the embedded scorer.

A text's numbers depend on its batch only by rounding: within 1e-5 in float32 and 2e-2 in bfloat16, whose 8 bits of mantissa
round differently as matrices of other shapes are summed in another order.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
import transformers
import xxhash
from numpy.typing import NDArray
from safetensors import SafetensorError

from spx_assets.news.sentiment.errors import (
    SentimentLabelsError,
    SentimentMemoryError,
    SentimentModelForeignError,
    SentimentModelMissingError,
)
from spx_assets.news.sentiment.packed import packed
from spx_assets.news.sentiment.texts import CLASSES, frame, readable

MAX_TOKENS = 512
NAMES = {"negative": 0, "bearish": 0, "neutral": 1, "positive": 2, "bullish": 2}
PRECISIONS = {"bf16": torch.bfloat16, "float32": torch.float32}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinBert:
    model_id: str
    model: Any
    tokenizer: Any
    columns: tuple[int, ...]
    """Which of the model's outputs is negative, neutral, positive."""
    batch: int
    max_tokens: int
    packed: bool
    """Whether padding costs nothing, so that texts of any length may share a batch."""

    @torch.inference_mode()
    def score(self, texts: Sequence[str]) -> pl.DataFrame:
        if not len(texts):
            return frame(np.empty((0, len(CLASSES))))
        coded = self.tokenizer(readable(texts), truncation=True, max_length=self.max_tokens)
        lengths = [len(ids) for ids in coded["input_ids"]]
        made = np.empty((len(lengths), len(CLASSES)), np.float64)
        pending, size = sorted(range(len(lengths)), key=lengths.__getitem__), self.batch
        while pending:
            limit = self.max_tokens if self.packed else longest(lengths[pending[0]])
            rows = [row for row in pending[:size] if lengths[row] <= limit]
            try:
                made[rows] = self.probabilities({name: [values[row] for row in rows] for name, values in coded.items()})
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                if size == 1:
                    raise SentimentMemoryError(
                        f"one text of {lengths[rows[0]]} tokens does not fit into memory with {self.model_id}; "
                        "free memory or choose a smaller model in SPX_NEWS__MODEL"
                    ) from error
                size = max(1, len(rows) // 2)
                log.warning("out of memory: batches of %d texts from here on", size)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
            else:
                pending = pending[len(rows) :]
        return frame(made)

    def probabilities(self, rows: dict[str, list[list[int]]]) -> NDArray[np.float64]:
        batch = self.tokenizer.pad(rows, return_tensors="pt").to(self.model.device)
        logits = self.model(**batch).logits.double()
        exact: NDArray[np.float64] = torch.softmax(logits, -1)[:, list(self.columns)].cpu().numpy()
        return exact


def load(model: str, *, batch: int, precision: str) -> FinBert:
    """The classifier in folder `model`, or on the hub under that name, in `precision` (bf16 or float32).

    bf16 is kept where asked for even on a processor without bf16 instructions, where it is computed in float32 and rounded:
    slower than float32, but the numbers stay those of the setting, so scores of two machines may stand in one table.
    """
    where = f"folder {model}" if Path(model).is_dir() else f"hub model {model}"
    network, tokenizer = read(model, where)
    columns = order(network.config.id2label, where)
    digest = fingerprint(network, tokenizer, columns)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and precision == "bf16" and not native_bf16():
        log.warning("this processor has no bf16 instructions: %s runs faster with SPX_NEWS__PRECISION=float32", where)
    network = network.to(device=device, dtype=PRECISIONS[precision]).eval()
    limit = min(MAX_TOKENS, network.config.max_position_embeddings, tokenizer.model_max_length)
    name = Path(model).name if Path(model).is_dir() else model
    return FinBert(f"{name}@{digest}/{precision}", network, tokenizer, columns, batch, limit, packed(network))


def read(model: str, where: str) -> tuple[Any, Any]:
    """Network and tokenizer as stored."""
    local = Path(model).is_dir()
    if local and not (Path(model) / "config.json").is_file():
        raise SentimentModelForeignError(
            f"{where} has neither config.json nor sentiment.json; name a folder saved by transformers' save_pretrained, "
            "one written by the embedded scorer's training, or `embedded`"
        )
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        network, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            model, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).split("\n", 1)[0]
        if local:
            raise SentimentModelForeignError(
                f"{where} is no classifier that transformers reads ({reason}); save it with save_pretrained, tokenizer included"
            ) from error
        raise SentimentModelMissingError(
            f"{where} is not at hand ({reason}); unset HF_HUB_OFFLINE where the hub can be reached, or copy the model's folder "
            "here and name it in SPX_NEWS__MODEL, or use SPX_NEWS__MODEL=embedded"
        ) from error
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise SentimentModelForeignError(
            f"{where} holds an encoder without a trained classifier (no {missing}); fine-tune it as a sequence classifier"
        )
    return network, tokenizer


def order(id2label: dict[int, str], where: str) -> tuple[int, ...]:
    """Outputs of negative, neutral and positive, by the names the model's config gives them."""
    found: dict[int | None, int] = {NAMES.get(label.strip().lower()): number for number, label in id2label.items()}
    if len(id2label) != len(CLASSES) or {*found} != {*range(len(CLASSES))}:
        raise SentimentLabelsError(
            f"{where} names its classes {sorted(id2label.values())}; id2label in its config.json must be negative, neutral, "
            "positive (or bearish, neutral, bullish), each once"
        )
    return tuple(found[number] for number in range(len(CLASSES)))


def fingerprint(network: Any, tokenizer: Any, columns: tuple[int, ...]) -> str:
    """Digest of weights, tokenizer and order of classes, the same for a folder and its copy on the hub."""
    digest = xxhash.xxh3_128(json.dumps([columns, network.config.model_type, tokenizer.backend_tokenizer.to_str()]).encode())
    for name, weight in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def longest(shortest: int) -> int:
    """Length up to which texts share a batch that is padded: by less than an eighth, also where few texts are scored at once."""
    return shortest + max(2, shortest // 8)


def native_bf16() -> bool:
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_tile") or abilities.get("bf16"))


def out_of_memory(error: BaseException) -> bool:
    """torch tells lack of device memory by a class, lack of main memory by the words of its allocator."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
