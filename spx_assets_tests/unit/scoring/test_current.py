"""current.json: who is served, replaced whole, one generation at a time."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from spx_assets.scoring import current
from spx_assets.scoring.current import Current
from spx_assets.scoring.errors import ArtifactAlteredError


def test_before_the_first_decision_nothing_is_served(tmp_path: Path) -> None:
    assert current.read(tmp_path, "spx500_h30") is None
    assert current.names(tmp_path) == []


def test_every_replacement_is_a_new_generation(tmp_path: Path) -> None:
    current.replace(tmp_path, "spx500_h30", champion=None, challenger=None, flagged="v1")
    after = current.replace(tmp_path, "spx500_h30", champion="v2", challenger=None, flagged=None)
    assert after.generation == 2
    assert current.read(tmp_path, "spx500_h30") == after
    assert (after.champion, after.flagged) == ("v2", None)
    assert current.names(tmp_path) == ["spx500_h30"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Current(champion="c", challenger="h", flagged="f"), ("champion", "c")),
        (Current(challenger="h", flagged="f"), ("flagged", "f")),
        (Current(challenger="h"), None),
    ],
)
def test_served_is_the_champion_else_the_flagged(state: Current, expected: tuple[str, str] | None) -> None:
    assert current.served(state) == expected


def test_who_asks_for_the_challenger_gets_it_while_there_is_one() -> None:
    assert current.served(Current(champion="c", challenger="h"), "challenger") == ("challenger", "h")
    assert current.served(Current(champion="c"), "challenger") == ("champion", "c")
    assert current.served(Current(flagged="f"), "challenger") == ("flagged", "f")


def test_an_unreadable_file_is_a_typed_error(tmp_path: Path) -> None:
    current.replace(tmp_path, "m", champion="v", challenger=None, flagged=None)
    (tmp_path / "models" / "m" / "current.json").write_text('{"champion": ')
    with pytest.raises(ArtifactAlteredError, match=r"`spx backfill models/m/champion --from DAY --to DAY --force`"):
        current.read(tmp_path, "m")
    # What that command does: nothing of the file is needed to replace it.
    current.replace(tmp_path, "m", champion="v", challenger=None, flagged=None, generation=3)
    assert (current.read(tmp_path, "m") or Current()).generation == 3


def _replace(folder: Path) -> None:
    for _ in range(20):
        current.replace(folder, "m", champion="v", challenger=None, flagged=None)


def test_two_writers_lose_no_generation(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_replace, args=(tmp_path,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = current.read(tmp_path, "m")
    assert found is not None
    assert found.generation == 40
