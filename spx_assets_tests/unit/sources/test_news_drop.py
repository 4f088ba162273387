"""The drop folder: a file is there whole or not at all, and is put away once."""

import json
import os
from pathlib import Path

import pytest

from spx_assets.settings import NewsSettings, Settings
from spx_assets.sources import news_drop
from spx_assets.sources.news_drop import DropFolderError


def test_only_visible_files_wait_in_the_order_of_their_names(tmp_path: Path) -> None:
    assert news_drop.waiting(tmp_path / "absent") == []
    for name in ("b.json", "a.ndjson", ".c.json.part", ".lock"):
        (tmp_path / name).write_text("[]")
    (tmp_path / "taken").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert [path.name for path in news_drop.waiting(tmp_path)] == ["a.ndjson", "b.json"]


def test_articles_are_put_whole_under_names_in_order(tmp_path: Path) -> None:
    at = tmp_path / "new"
    made = [news_drop.put(at, [{"title": f"Récit {k}\n"}, {"title": "<b>"}]) for k in range(3)]
    assert news_drop.waiting(at) == made
    assert [json.loads(line) for line in made[0].read_text().splitlines()] == [{"title": "Récit 0\n"}, {"title": "<b>"}]
    assert sorted(os.listdir(at)) == [path.name for path in made]
    assert {news_drop.provider(path) for path in made} == {"simulator"}
    assert news_drop.provider(Path("wire-2025.json")) == "files"


def test_a_file_is_told_from_another_that_lay_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "news.json"
    path.write_text("[1]")
    first = news_drop.mark(path)
    assert news_drop.mark(path) == first
    fresh = tmp_path / ".news.json.part"
    fresh.write_text("[2]")
    os.utime(fresh, ns=(0, path.stat().st_mtime_ns))
    fresh.replace(path)
    assert news_drop.mark(path) not in (first, None)
    path.unlink()
    assert news_drop.mark(path) is None


def test_what_was_taken_or_refused_is_put_away_under_a_name_of_its_own(tmp_path: Path) -> None:
    for text in ("first", "second"):
        path = tmp_path / "news.json"
        path.write_text(text)
        news_drop.taken(path)
    assert sorted(path.read_text() for path in (tmp_path / "taken").iterdir()) == ["first", "second"]
    path.write_text("{")
    news_drop.refuse(path, "news.json is no JSON; write it again")
    assert (tmp_path / "refused" / "news.json").read_text() == "{"
    assert (tmp_path / "refused" / "news.json.reason.txt").read_text() == "news.json is no JSON; write it again\n"
    assert news_drop.waiting(tmp_path) == []


def test_the_folder_is_in_the_home_unless_named(settings: Settings, tmp_path: Path) -> None:
    assert news_drop.folder(settings) == settings.home / "news-drop"
    named = settings.model_copy(update={"news": NewsSettings(drop=str(tmp_path / "inbox"))})
    assert news_drop.folder(named) == tmp_path / "inbox"


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DropFolderError, match=r"file cannot be used \(.*\); correct its permissions or SPX_NEWS__DROP"):
        news_drop.put(tmp_path / "file", [{"title": "x"}])
