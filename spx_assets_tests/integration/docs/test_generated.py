"""Pages made from the code are what the code makes."""

import pytest

from spx_assets.automation.instance import ROOT
from spx_assets_tests.documents import PAGES
from spx_assets_tests.documents.table import table


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_makes(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name](), f"docs/{name} is of other code; run `make docs`"


def test_every_setting_says_what_it_does() -> None:
    lines = (ROOT / "docs" / "settings.md").read_text().splitlines()
    settings = [line for line in lines if line.startswith("| `SPX_")]
    assert len(settings) > 200
    assert [line for line in settings if line.endswith("|  |")] == []


def test_a_cell_cannot_end_its_table() -> None:
    assert table(("a", "b"), [("x|y", "two\nlines")]) == "| a | b |\n| --- | --- |\n| x\\|y | two lines |\n"
