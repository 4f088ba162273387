"""Who gets the page, under which policy, with which files; which file is a report; what is kept how long."""

import asyncio
import gzip
from pathlib import Path

import pytest

from serving.dashboard import drift, page
from serving.dashboard.files import PLOTLY, Files
from serving.dashboard.remembered import Remembered

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "shown"),
    [(CHROME, True), ("", False), ("*/*", False), ("application/json", False), ("application/json, text/html;q=0.5", False)],
)
def test_who_asks_for_html_gets_the_page(accept: str, shown: bool) -> None:
    assert page.wanted(accept) is shown


def test_the_policy_lets_no_inline_script_and_no_eval_run() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in page.POLICY.split(";"))
    assert rules["script-src"] == "'self'"
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in page.POLICY
    assert "allow-same-origin" not in page.REPORT_POLICY


def test_every_file_that_a_module_imports_is_served_and_none_comes_from_elsewhere() -> None:
    files = Files()
    modules = [name for name in files.paths if name.endswith(".js") and name != PLOTLY]
    imported = {
        part.split('"')[1].removeprefix("./")
        for name in modules
        for part in files.content(name, compressed=False).decode().split(" from ")[1:]
        if part.startswith('"')
    }
    assert imported <= set(modules)
    for name in modules:
        assert b"http://" not in files.content(name, compressed=False).replace(b"http://www.w3.org/2000/svg", b"")


def test_a_file_is_compressed_once_and_is_the_same() -> None:
    files = Files()
    small = files.content("app.js", compressed=True)
    assert gzip.decompress(small) == files.content("app.js", compressed=False)
    assert files.content("app.js", compressed=True) is small
    with pytest.raises(KeyError):
        files.content("../page.py", compressed=False)


@pytest.mark.parametrize("name", ["../secret.html", ".hidden.html", "SPX500_USD-2025-10-15.txt", "absent.html", ""])
def test_only_a_report_of_the_folder_is_one(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "reports" / "drift"
    folder.mkdir(parents=True)
    for each in (folder / "SPX500_USD-2025-10-15.html", folder / "SPX500_USD-2025-10-15.txt", folder / ".hidden.html"):
        each.write_text("report")
    (tmp_path / "reports" / "secret.html").write_text("secret")
    assert drift.report(tmp_path, name) is None
    assert drift.report(tmp_path, "SPX500_USD-2025-10-15.html") == folder / "SPX500_USD-2025-10-15.html"


def test_an_answer_is_made_once_for_all_who_ask_and_again_when_it_is_old() -> None:
    made: list[int] = []
    at = 0.0

    async def make() -> int:
        made.append(len(made))
        await asyncio.sleep(0)
        return made[-1]

    async def ask() -> None:
        nonlocal at
        kept = Remembered(lambda: at)
        assert await asyncio.gather(*(kept.get("panel", 5.0, make) for _ in range(3))) == [0, 0, 0]
        at = 5.0
        assert await kept.get("panel", 5.0, make) == 0
        assert await kept.get("another", 5.0, make) == 1
        at = 5.1
        assert await kept.get("panel", 5.0, make) == 2

    asyncio.run(ask())


def test_a_failure_is_told_to_all_who_wait_and_made_again_for_the_next() -> None:
    calls: list[bool] = []

    async def make() -> str:
        calls.append(True)
        await asyncio.sleep(0)
        if len(calls) == 1:
            raise OSError("no lake")
        return "there"

    async def ask() -> None:
        kept = Remembered()
        found = await asyncio.gather(*(kept.get("panel", 5.0, make) for _ in range(2)), return_exceptions=True)
        assert [str(each) for each in found] == ["no lake", "no lake"]
        assert await kept.get("panel", 5.0, make) == "there"

    asyncio.run(ask())
