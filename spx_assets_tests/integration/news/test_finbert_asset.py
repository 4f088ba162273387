"""A classifier in FinBERT's form, named by a setting, scores articles as an asset run; its classes may come in any order."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from spx_assets.automation.backfill import Backfill
from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.news import sentiment
from spx_assets.settings import NewsSettings, Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests.integration.news.articles import article, at, put
from spx_assets_tests.unit.news import finbert_folder

pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("transformers", reason="needs the torch extra")

CLASSES = ["negative", "neutral", "positive"]


def test_a_folder_of_finbert_form_scores_articles_by_the_names_of_its_classes(settings: Settings, tmp_path: Path) -> None:
    folder = finbert_folder.make(tmp_path / "tiny", ("neutral", "positive", "negative"))
    other = finbert_folder.swapped(folder, tmp_path / "other", (2, 0, 1))
    home = settings.model_copy(update={"simulator": SimulatorSettings(days=9)})
    lake = Lake.open(home)
    feeds.bind_simulator(lake, "SPX500_USD")
    put(lake, article("Profit rose", at(15)), article("Bank warns of loss", at(16)), article("Sales fell", at(17)))
    found = []
    with dg.DagsterInstance.ephemeral() as instance:
        for model in (folder, other):
            news = NewsSettings(model=str(model), precision="float32")
            made = Backfill(home.model_copy(update={"news": news}), instance).run(["silver/news_sentiment"])
            assert made["silver/news_sentiment"] == 1
            found.append(lake.read(NEWS_SENTIMENT))
    exact = sentiment.load(folder, NewsSettings(precision="float32")).score(found[0]["title"].to_list())
    for rows, name in zip(found, ("tiny", "other"), strict=True):
        assert rows["model_id"].str.starts_with(f"{name}@").all()
        assert rows.height == 3
        assert_frame_equal(rows.select(CLASSES), exact, abs_tol=1e-5)
        assert rows.select((pl.max_horizontal(CLASSES) == pl.col("confidence")).all()).item()
    assert exact["positive"].n_unique() == 3
