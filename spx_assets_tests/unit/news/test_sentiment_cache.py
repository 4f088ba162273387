"""Scores are made once for a model and a text, whoever asks, and the model is loaded only when it is needed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.news import model_version
from spx_assets.news.sentiment_cache import SentimentCache, SentimentCacheError, path, scores
from spx_assets.news.texts import digest
from spx_assets.settings import NewsSettings, Settings


class Counting:
    """A scorer of one number, that says how often it was asked."""

    def __init__(self, model_id: str = "counting@1", positive: float = 0.5) -> None:
        self.model_id = model_id
        self.positive = positive
        self.loaded = 0
        self.asked: list[str] = []

    def score(self, texts: Sequence[str]) -> pl.DataFrame:
        self.asked += texts
        return pl.DataFrame({"negative": [0.1] * len(texts), "neutral": 0.9 - self.positive, "positive": self.positive})

    def load(self) -> "Counting":
        self.loaded += 1
        return self


def of_folder(settings: Settings, folder: Path) -> Settings:
    """Settings whose model lies in `folder`, so that its files say which model it is."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(folder.name)
    return settings.model_copy(update={"news": NewsSettings(model=str(folder))})


def test_a_text_is_scored_once_and_the_model_loaded_only_for_a_new_one(settings: Settings, tmp_path: Path) -> None:
    own, scorer = of_folder(settings, tmp_path / "one"), Counting()
    assert scores(own, ["a", "b", "a"], load=scorer.load)[1].height == 2
    model_id, again = scores(own, ["b", "a"], load=scorer.load)
    assert (scorer.asked, scorer.loaded, model_id) == (["a", "b"], 1, "counting@1")
    assert dict(again.select("text_hash", "positive").rows()) == {digest("a"): 0.5, digest("b"): 0.5}
    scores(own, ["a", "c"], load=scorer.load)
    assert (scorer.asked, scorer.loaded) == (["a", "b", "c"], 2)


def test_another_model_scores_anew_and_the_first_one_keeps_its_scores(settings: Settings, tmp_path: Path) -> None:
    one, other = (of_folder(settings, tmp_path / name) for name in ("one", "other"))
    scorers = Counting("counting@1"), Counting("counting@2", positive=0.8)
    assert scores(one, ["a"], load=scorers[0].load)[1]["positive"].to_list() == [0.5]
    assert scores(other, ["a"], load=scorers[1].load)[1]["positive"].to_list() == [0.8]
    assert scores(one, ["a"], load=scorers[0].load)[1]["positive"].to_list() == [0.5]
    assert [scorer.loaded for scorer in scorers] == [1, 1]


def test_files_changed_under_the_same_name_are_another_model(settings: Settings, tmp_path: Path) -> None:
    own = of_folder(settings, tmp_path / "one")
    before = model_version.version(own.news)
    assert before == model_version.version(own.news)
    scores(own, ["a"], load=Counting("counting@1").load)
    (tmp_path / "one" / "config.json").write_text("two")
    assert model_version.version(own.news) != before
    changed = Counting("counting@2")
    scores(own, ["a"], load=changed.load)
    assert changed.asked == ["a"]


def test_the_precision_is_part_of_a_transformers_model_and_not_of_the_embedded_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for model, same in ((str(tmp_path), False), ("embedded", True)):
        found = {model_version.version(NewsSettings(model=model, precision=precision)) for precision in ("bf16", "float32")}
        assert (len(found) == 1) is same
        assert None not in found
    assert model_version.version(NewsSettings(model="no-such/model-anywhere")) is None
    assert model_version.version(NewsSettings(model="no/hub/name")) is None


def test_many_writers_at_a_time_agree_on_the_first_score(settings: Settings, tmp_path: Path) -> None:
    own = of_folder(settings, tmp_path / "one")
    texts = [f"text {i}" for i in range(200)]

    def ask(turn: int) -> dict[str, float]:
        found = scores(own, texts, load=Counting(positive=turn / 10).load)[1]
        return dict(found.select("text_hash", "positive").rows())

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert len(answers[0]) == 200
    assert all(answer == answers[0] for answer in answers)


def test_scores_of_another_model_or_a_lost_text_are_forgotten_once_they_were_unused_for_the_days(
    settings: Settings, tmp_path: Path
) -> None:
    one, other = (of_folder(settings, tmp_path / name) for name in ("one", "other"))
    scores(one, ["a"], load=Counting("counting@1").load)
    scores(other, ["a", "b", "c"], load=Counting("counting@2").load)
    cache, start = SentimentCache(path(settings)), datetime(2026, 1, 1, tzinfo=UTC)

    def forget(days: int, *held: str) -> int:
        now = start + timedelta(days=days)
        return cache.forget("counting@2", [digest(text) for text in held], now=now, older_than=timedelta(days=90))

    assert forget(0, "a", "c") == 0
    # "b" is back in the lake and "c" gone: its time begins now.
    assert forget(60, "a", "b") == 0
    assert forget(90, "a") == 1
    assert cache.read("counting@1", [digest("a")]).is_empty()
    assert cache.model_id(model_version.version(one.news)) is None
    assert forget(150, "a") == 1
    found = cache.read("counting@2", [digest(text) for text in "abc"])["text_hash"]
    assert set(found) == {digest("a"), digest("b")}
    assert forget(180, "a") == 1
    assert forget(1000, "a") == 0


def test_a_damaged_file_is_refused_with_the_remedy(settings: Settings) -> None:
    path = settings.home / "cache" / "sentiment.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(SentimentCacheError, match=r"sentiment.db cannot be used: .*; if it is damaged delete it"):
        scores(settings, ["a"], load=Counting().load)
