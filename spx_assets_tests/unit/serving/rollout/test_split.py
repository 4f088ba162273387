"""The split of requests is files that change all at once."""

import threading
from pathlib import Path

import pytest

from serving.rollout.split import SplitError, Splits
from spx_assets.settings import Settings


@pytest.fixture
def splits(settings: Settings) -> Splits:
    return Splits(settings)


def _green(splits: Splits) -> list[str]:
    return sorted(path.name for path in (splits.folder / "current" / "green").iterdir())


def test_nothing_is_split_before_the_first_change(splits: Splits) -> None:
    assert splits.current() is None
    assert splits.history() == []


def test_green_has_a_file_for_each_of_its_hundredths(splits: Splits) -> None:
    splits.change(3, by="ops", reason="try")
    assert _green(splits) == ["00", "01", "02"]
    splits.change(100, by="ops", reason="cutover")
    assert len(_green(splits)) == 100
    assert _green(splits)[-1] == "99"
    splits.change(0, by="ops", reason="rollback")
    assert _green(splits) == []
    assert [(split.number, split.green, split.reason) for split in splits.history()] == [
        (1, 3, "try"),
        (2, 100, "cutover"),
        (3, 0, "rollback"),
    ]


def test_an_address_keeps_its_colour_only_where_that_was_asked_for(splits: Splits) -> None:
    splits.change(10, by="ops", reason="a", sticky="address")
    assert (splits.folder / "current" / "sticky").exists()
    splits.change(20, by="ops", reason="b")
    assert (splits.folder / "current" / "sticky").exists()
    splits.change(20, by="ops", reason="c", sticky="request")
    assert not (splits.folder / "current" / "sticky").exists()


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_beyond_all_requests_changes_nothing(splits: Splits, percent: int) -> None:
    splits.change(10, by="ops", reason="first")
    with pytest.raises(SplitError, match="give 0 to 100"):
        splits.change(percent, by="ops", reason="wrong")
    assert [split.green for split in splits.history()] == [10]


def test_a_decision_on_an_older_split_is_refused(splits: Splits) -> None:
    seen = splits.change(10, by="ops", reason="canary")
    splits.change(25, by="ops", reason="more")
    with pytest.raises(SplitError, match="split 1 is no longer in force"):
        splits.change(0, by="watch", reason="worse", only_after=seen.number)
    current = splits.current()
    assert current is not None
    assert current.green == 25


def test_a_reader_sees_one_split_or_the_other_while_it_changes(splits: Splits) -> None:
    """What the proxy looks at, in a loop beside changes between all and nothing."""
    splits.change(100, by="ops", reason="all")
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            folder = Path(splits.folder / "current").resolve() / "green"
            seen.add(len(list(folder.iterdir())))

    reader = threading.Thread(target=read)
    reader.start()
    for green in (0, 100, 0, 100):
        splits.change(green, by="ops", reason="flip")
    done.set()
    reader.join()
    assert seen <= {0, 100}


def test_old_splits_are_forgotten_but_for_the_history(splits: Splits) -> None:
    for green in range(8):
        splits.change(green, by="ops", reason="step")
    assert sorted(path.name for path in (splits.folder / "splits").iterdir()) == [f"{number:06d}" for number in range(4, 9)]
    assert len(splits.history()) == 8


def test_a_damaged_split_is_named_and_the_next_change_mends_it(splits: Splits) -> None:
    splits.change(10, by="ops", reason="canary")
    (splits.folder / "current" / "split.json").write_text("{")
    with pytest.raises(SplitError, match="spx deploy rollback"):
        splits.current()
    assert splits.change(0, by="ops", reason="rollback").number == 2
