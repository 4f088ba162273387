"""Promises of scores through transformers: labels by name, any batch the same, memory that runs out, errors with remedies."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets.news import sentiment
from spx_assets.news.sentiment import errors
from spx_assets.settings import NewsSettings
from spx_assets_tests.unit.news import finbert_folder

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("transformers", reason="needs the torch extra")

FLOAT32 = NewsSettings(precision="float32")
TEXTS = [
    "profit rose",
    "the company said net sales of the bank fell to the loss of shares",
    "",
    "bank warns",
    "<script>alert(1)</script>\x00\x1b[31m \ud800",
    "up down " * 400,
    "company beats",
] * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finbert_folder.make(tmp_path_factory.mktemp("finbert") / "tiny", ("neutral", "positive", "negative"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> sentiment.Scorer:
    return sentiment.load(folder, FLOAT32)


@pytest.fixture(scope="module")
def scores(scorer: sentiment.Scorer) -> pl.DataFrame:
    return scorer.score(TEXTS)


def apart(one: pl.DataFrame, other: pl.DataFrame) -> float:
    return float(np.abs(one.to_numpy() - other.to_numpy()).max())


def test_each_text_gets_a_row_of_probabilities(scores: pl.DataFrame, scorer: sentiment.Scorer) -> None:
    assert dict(scores.schema) == {"negative": pl.Float64, "neutral": pl.Float64, "positive": pl.Float64}
    assert scores.height == len(TEXTS)
    np.testing.assert_allclose(scores.sum_horizontal().to_numpy(), 1, atol=1e-15)
    assert scorer.score([]).schema == scores.schema
    assert scorer.score([]).is_empty()


def test_columns_follow_the_names_of_the_config(folder: Path, scores: pl.DataFrame, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    raw = torch.softmax(model(**tokenizer(TEXTS[:2], padding=True, return_tensors="pt")).logits, -1)
    np.testing.assert_allclose(scores[:2].to_numpy(), raw[:, [2, 0, 1]].detach().numpy(), atol=1e-5)
    other = sentiment.load(finbert_folder.swapped(folder, tmp_path / "swapped", (2, 1, 0)), FLOAT32)
    assert apart(other.score(TEXTS), scores) < 1e-6


def test_scores_depend_neither_on_batch_nor_on_order(folder: Path, scores: pl.DataFrame, scorer: sentiment.Scorer) -> None:
    for batch in (1, 5):
        assert apart(sentiment.load(folder, NewsSettings(precision="float32", batch=batch)).score(TEXTS), scores) < 1e-5
    assert apart(scorer.score(TEXTS[::-1]).reverse(), scores) < 1e-5


def test_bf16_is_kept_and_close_to_float32(folder: Path, scores: pl.DataFrame, scorer: sentiment.Scorer) -> None:
    rounded = sentiment.load(folder, NewsSettings(precision="bf16", batch=3))
    assert rounded.model_id == scorer.model_id.replace("float32", "bf16")
    few = rounded.score(TEXTS[:3])
    assert 1e-5 < apart(few, scores[:3]) < 0.1
    assert apart(rounded.score(TEXTS[1:2]), few[1:2]) < 0.02


CUDA = torch.OutOfMemoryError("CUDA out of memory")
CPU = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")


@pytest.mark.parametrize("cause", [CUDA, CPU])
def test_batches_halve_when_memory_runs_out(folder: Path, scores: pl.DataFrame, cause: RuntimeError) -> None:
    scorer = sentiment.load(folder, NewsSettings(precision="float32", batch=16))
    seen: list[int] = []

    def short_of_memory(_: object, __: object, inputs: dict[str, "torch.Tensor"]) -> None:
        seen.append(len(inputs["input_ids"]))
        if seen[-1] > 5:
            raise cause

    scorer.model.register_forward_pre_hook(short_of_memory, with_kwargs=True)  # type: ignore[attr-defined]
    said = scorer.score([TEXTS[0]] * 14)
    assert apart(said, pl.concat([scores[:1]] * 14)) < 1e-5
    assert seen == [14, 7, 3, 3, 3, 3, 2]


UNLIKE = ["up " * 30, "up", "up down", "up " * 33, "up " * 12]


def batches(scorer: sentiment.Scorer, texts: list[str]) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []

    def watch(_: object, __: object, inputs: dict[str, "torch.Tensor"]) -> None:
        shapes.append(tuple(inputs["input_ids"].shape))

    watching = scorer.model.register_forward_pre_hook(watch, with_kwargs=True)  # type: ignore[attr-defined]
    scorer.score(texts)
    watching.remove()
    return shapes


def test_no_token_of_padding_is_computed(scorer: sentiment.Scorer) -> None:
    shapes: list[tuple[int, ...]] = []
    layer = scorer.model.bert.bert.encoder.layer[0]  # type: ignore[attr-defined]
    watching = layer.intermediate.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    assert batches(scorer, UNLIKE) == [(5, 35)]
    watching.remove()
    assert shapes == [(3 + 4 + 14 + 32 + 35, 32)]


def test_texts_of_unlike_length_share_no_batch_where_it_is_padded(folder: Path, tmp_path: Path) -> None:
    scorer = sentiment.load(finbert_folder.distilled(folder, tmp_path / "distilled"), FLOAT32)
    assert batches(scorer, UNLIKE) == [(2, 4), (1, 14), (2, 35)]
    alone = pl.concat([scorer.score([text]) for text in UNLIKE])
    assert apart(scorer.score(UNLIKE), alone) < 1e-5
    assert alone["positive"].n_unique() == len(UNLIKE)


def test_one_text_that_does_not_fit_is_said_so(folder: Path) -> None:
    scorer = sentiment.load(folder, FLOAT32)

    def no_memory(_: object, __: object) -> None:
        raise torch.OutOfMemoryError

    scorer.model.register_forward_pre_hook(no_memory)  # type: ignore[attr-defined]
    with pytest.raises(errors.SentimentMemoryError, match="SPX_NEWS__MODEL"):
        scorer.score(["profit"])


def test_an_error_that_is_not_of_memory_is_not_swallowed(folder: Path) -> None:
    scorer = sentiment.load(folder, FLOAT32)

    def broken(_: object, __: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    scorer.model.register_forward_pre_hook(broken)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="mat1"):
        scorer.score(["profit"])


def relabelled(folder: Path, target: Path, labels: list[str]) -> Path:
    finbert_folder.swapped(folder, target, (0, 1, 2))
    config = json.loads((target / "config.json").read_text())
    config["id2label"] = {str(number): label for number, label in enumerate(labels)}
    config["label2id"] = {label: number for number, label in enumerate(labels)}
    (target / "config.json").write_text(json.dumps(config))
    return target


def test_bullish_and_bearish_are_understood(folder: Path, scores: pl.DataFrame, tmp_path: Path) -> None:
    other = sentiment.load(relabelled(folder, tmp_path / "tweets", ["Neutral", "Bullish", "Bearish"]), FLOAT32)
    assert apart(other.score(TEXTS[:3]), scores[:3]) < 1e-5


def test_classes_of_other_names_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.SentimentLabelsError, match=r"LABEL_0.*id2label"):
        sentiment.load(relabelled(folder, tmp_path / "nameless", ["LABEL_0", "LABEL_1", "LABEL_2"]), FLOAT32)
    with pytest.raises(errors.SentimentLabelsError, match="each once"):
        sentiment.load(relabelled(folder, tmp_path / "twice", ["positive", "bullish", "negative"]), FLOAT32)


def test_what_is_no_classifier_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.SentimentModelForeignError, match="save_pretrained"):
        sentiment.load(tmp_path / "empty", FLOAT32)
    cut = finbert_folder.swapped(folder, tmp_path / "cut", (0, 1, 2)) / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:5_000])
    with pytest.raises(errors.SentimentModelForeignError, match="cut"):
        sentiment.load(cut.parent, FLOAT32)
    headless = finbert_folder.swapped(folder, tmp_path / "encoder", (0, 1, 2))
    from transformers import AutoModelForSequenceClassification

    AutoModelForSequenceClassification.from_pretrained(headless).bert.save_pretrained(headless)
    config = json.loads((headless / "config.json").read_text())
    (headless / "config.json").write_text(json.dumps({**config, "id2label": {"0": "negative", "1": "neutral", "2": "positive"}}))
    with pytest.raises(errors.SentimentModelForeignError, match="classifier"):
        sentiment.load(headless, FLOAT32)


def test_a_hub_that_is_out_of_reach_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(errors.SentimentModelMissingError, match=r"ProsusAI/no-such-model.*SPX_NEWS__MODEL"):
        sentiment.load("ProsusAI/no-such-model", FLOAT32)
    with pytest.raises(errors.SentimentModelMissingError, match="SPX_NEWS__MODEL"):
        sentiment.load("/nowhere/finbert", FLOAT32)


def test_the_id_follows_the_weights(folder: Path, scorer: sentiment.Scorer, tmp_path: Path) -> None:
    again = sentiment.load(finbert_folder.swapped(folder, tmp_path / "tiny", (0, 1, 2)), FLOAT32)
    assert again.model_id == scorer.model_id
    other = finbert_folder.make(tmp_path / "other", ("neutral", "positive", "negative"), seed=1)
    assert sentiment.load(other, FLOAT32).model_id.split("@")[1] != scorer.model_id.split("@")[1]
