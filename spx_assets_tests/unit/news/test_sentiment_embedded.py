"""Promises of the shipped scorer: clear sentences, any text, any batch the same, files that are the ones written."""

import importlib
import json
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets.news import sentiment
from spx_assets.news.sentiment import embedded, errors
from spx_assets.settings import NewsSettings

CLEAR = {
    "positive": (
        "Operating profit grew to EUR 6.4 mn from EUR 4.9 mn in the same quarter of 2011.",
        "The company won a EUR 25 million order to supply elevators to a hospital in Sweden.",
        "Stocks rally to a record high on strong jobs data",
        "Northwind raised its dividend and reported record sales.",
        "Net loss narrowed to USD 2 million from USD 9 million a year earlier.",
        "Operating profit was EUR 6.4 mn in 2012 , compared to EUR 4.9 mn in 2011.",
    ),
    "negative": (
        "Operating profit shrank to EUR 4.9 mn from EUR 6.4 mn in the same quarter of 2011.",
        "The company will close its factory in Turku and lay off 120 employees.",
        "Shares plunge as regulator opens fraud investigation",
        "The airline cut its full-year guidance, citing weak demand.",
        "Operating profit was EUR 4.9 mn in 2012 , compared to EUR 6.4 mn in 2011.",
    ),
    "neutral": (
        "The annual general meeting will be held in Helsinki on 21 March 2008.",
        "The company is headquartered in Espoo and has some 1,200 employees.",
        "The financial details of the transaction were not disclosed.",
        "Anna Bergqvist has been appointed member of the board of directors.",
    ),
}
ODD = ["", " ", "\x00\x07\x1b[2J\u202e", "<script>alert('x')</script>", "[SEP] [PAD] [MASK]", "\ud800", "利润下降 📉"]
ODD += ["word " * 200_000, "9" * 5_000]


@pytest.fixture(scope="module")
def scorer() -> embedded.Embedded:
    loaded = sentiment.load("embedded", NewsSettings())
    assert isinstance(loaded, embedded.Embedded)
    return loaded


@pytest.mark.parametrize("wanted", CLEAR)
def test_clear_sentences_get_their_class(scorer: sentiment.Scorer, wanted: str) -> None:
    scores = scorer.score(CLEAR[wanted])
    assert [max(row, key=row.__getitem__) for row in scores.to_dicts()] == [wanted] * len(CLEAR[wanted])


def test_any_text_gets_probabilities(scorer: sentiment.Scorer) -> None:
    scores = scorer.score(ODD)
    assert dict(scores.schema) == {"negative": pl.Float64, "neutral": pl.Float64, "positive": pl.Float64}
    assert scores.height == len(ODD)
    np.testing.assert_allclose(scores.sum_horizontal().to_numpy(), 1, atol=1e-15)
    assert scores.min_horizontal().min() > 0  # type: ignore[operator]


def test_no_texts_give_no_rows(scorer: sentiment.Scorer) -> None:
    assert scorer.score([]).is_empty()
    assert scorer.score([]).columns == ["negative", "neutral", "positive"]


def test_one_text_instead_of_many_is_refused(scorer: sentiment.Scorer) -> None:
    with pytest.raises(TypeError, match="sequence"):
        scorer.score("profit rose")


def test_a_text_scores_the_same_in_any_company(scorer: sentiment.Scorer) -> None:
    texts = [*(text for group in CLEAR.values() for text in group), *ODD]
    together = scorer.score(texts)
    assert scorer.score(texts[::-1]).reverse().equals(together)
    assert pl.concat([scorer.score([text]) for text in texts]).equals(together)
    assert sentiment.load("embedded", NewsSettings(threads=1)).score(texts).equals(together)


def test_texts_of_one_length_share_batches_and_still_score_as_alone_to_the_last_bit(scorer: embedded.Embedded) -> None:
    words = (("Oil", "Gold", "Copper", "Bank"), ("falls", "gains", "trades", "rises"), ("after", "on", "before", "despite"))
    texts = [f"{who} {does} {when} {what}" for who, does, when in product(*words) for what in ("data", "talks")]
    # 128 texts of six tokens: one batch of 85 and one of 43; then each at another place, beside others.
    assert [len(rows) for rows in embedded.batches(embedded.code(scorer.tokenizer, texts))] == [85, 43]
    together = scorer.score(texts)
    assert scorer.score(texts[40:] + texts[:40]).equals(pl.concat([together[40:], together[:40]]))
    assert scorer.score(texts[:7]).equals(together[:7])
    assert pl.concat([scorer.score([text]) for text in texts[::8]]).equals(together[::8])
    assert together["positive"].n_unique() > 100


def test_batches_hold_every_row_once_and_no_more_tokens_than_allowed() -> None:
    rng = np.random.default_rng(0)
    coded = [[1] * int(length) for length in rng.integers(2, 129, 2_000)]
    made = embedded.batches(coded)
    assert sorted(row for rows in made for row in rows) == list(range(2_000))
    assert all(len({len(coded[row]) for row in rows}) == 1 for rows in made)
    assert max(sum(len(coded[row]) for row in rows) for rows in made) <= embedded.TOKENS


def test_shipped_files_say_what_they_said_when_they_were_made(scorer: sentiment.Scorer) -> None:
    golden = json.loads((embedded.SHIPPED / embedded.MANIFEST).read_text())["golden"]
    said = scorer.score([row["text"] for row in golden])
    # Processors round the float parts differently, and a level of an int8 activation may tip over.
    np.testing.assert_allclose(said.to_numpy(), pl.DataFrame(golden).select(said.columns).to_numpy(), atol=0.02)


def test_shipped_files_fit_into_twelve_megabytes() -> None:
    assert sum(path.stat().st_size for path in embedded.SHIPPED.iterdir() if path.is_file()) <= 12_000_000


def test_the_model_card_speaks_of_the_shipped_files() -> None:
    manifest = json.loads((embedded.SHIPPED / embedded.MANIFEST).read_text())
    assert manifest["sha256"]["model.onnx"] in (embedded.SHIPPED / "card.md").read_text()


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(embedded.SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def test_a_folder_of_that_form_is_loaded_by_its_name(tmp_path: Path, scorer: sentiment.Scorer) -> None:
    other = sentiment.load(copied(tmp_path / "mine"), NewsSettings())
    assert other.model_id == scorer.model_id.replace("embedded@", "mine@")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, name: str) -> None:
    path = copied(tmp_path / "cut") / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(errors.SentimentModelAlteredError, match=rf"{name}.*install the package again"):
        sentiment.load(path.parent, NewsSettings())


def test_a_file_that_is_missing_is_said_so(tmp_path: Path) -> None:
    path = copied(tmp_path / "gone") / "tokenizer.json"
    path.unlink()
    with pytest.raises(errors.SentimentModelMissingError, match=r"tokenizer\.json is missing"):
        sentiment.load(path.parent, NewsSettings())


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 9, "classes": [], "sha256": {}}'])
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / embedded.MANIFEST).write_text(text)
    with pytest.raises(errors.SentimentModelForeignError, match="train"):
        sentiment.load(tmp_path, NewsSettings())


def test_it_runs_where_torch_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("spx_assets.news.sentiment")]:
        monkeypatch.delitem(sys.modules, name)
    # None in sys.modules makes an import fail as if the package were absent.
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    afresh = importlib.import_module("spx_assets.news.sentiment")
    assert afresh.load("embedded", NewsSettings()).score(["profit rose"]).height == 1
    wanted = importlib.import_module("spx_assets.news.sentiment.errors").SentimentDependencyError
    with pytest.raises(wanted, match=r"spx-assets\[torch\]"):
        afresh.load("ProsusAI/finbert", NewsSettings())
