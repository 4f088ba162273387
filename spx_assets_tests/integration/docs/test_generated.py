"""Pages made from the code are what the code makes."""

import re

import pytest

from serving import early_problems, problems
from spx_assets.automation.instance import ROOT
from spx_assets.settings import GateSettings
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


def test_classes_that_the_documents_name_exist() -> None:
    told = {name for page in (ROOT / "docs").glob("*.md") for name in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", page.read_text())}
    code = "".join(path.read_text() for room in ("spx_assets", "serving") for path in (ROOT / room).rglob("*.py"))
    assert len(told) > 4
    assert told - set(re.findall(r"^class (\w+)", code, flags=re.M)) == set()


def test_the_symptoms_of_troubleshooting_are_the_codes_of_the_service() -> None:
    lines = (ROOT / "docs" / "troubleshooting.md").read_text().splitlines()
    symptoms = [found for line in lines for found in re.findall(r"(\d{3}) ((?:`\w+`(?:, )?)+)", line.split(" | ")[0])]
    told = {(int(status), code) for status, codes in symptoms for code in re.findall(r"\w+", codes)}
    classes = [*vars(problems).values(), *vars(early_problems).values()]
    found = [each for each in classes if isinstance(each, type) and issubclass(each, problems.Problem)]
    assert told == {(int(each.status), each.code) for each in found if each is not problems.Problem}


def test_the_gates_page_names_every_limit_of_a_version() -> None:
    page = (ROOT / "docs" / "gate.md").read_text()
    limits = [name for name in GateSettings.model_fields if name.startswith("max_")]
    assert [name for name in ["min_coverage", *limits] if f"`SPX_MODELS__GATE__{name.upper()}`" not in page] == []


def test_a_cell_cannot_end_its_table() -> None:
    assert table(("a", "b"), [("x|y", "two\nlines")]) == "| a | b |\n| --- | --- |\n| x\\|y | two lines |\n"
