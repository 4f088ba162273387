"""What an append-only journal keeps, and what it says of a file that was torn or damaged."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import frames
from serving.frames import Damage, Frame, Torn
from serving.journal import Journal, JournalError, paths


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal", sync="each")
    yield made
    made.stop()


def contents(folder: Path) -> list[bytes]:
    return [found.payload for path in paths(folder) for found in frames.scan(path.read_bytes()) if isinstance(found, Frame)]


def test_nothing_is_made_before_the_first_frame_and_frames_come_back_in_order(journal: Journal) -> None:
    assert not journal.folder.exists()
    journal.append([b"one", b""])
    journal.append([b"two" * 1000])
    assert contents(journal.folder) == [b"one", b"", b"two" * 1000]


def test_a_frame_is_its_mark_its_length_its_checksum_and_its_payload() -> None:
    # CRC-32 of b"abc", begun with the length 3, by zlib.
    assert frames.pack([b"abc"]) == b"SPXF" + (3).to_bytes(4, "little") + (929234843).to_bytes(4, "little") + b"abc"
    assert frames.pack([b"abc", b""]) == frames.pack([b"abc"]) + frames.pack([b""])


def test_a_frame_cut_off_at_any_byte_is_torn_and_those_before_it_are_read() -> None:
    whole = frames.pack([b"first", b"second"])
    first = len(frames.pack([b"first"]))
    for cut in range(first + 1, len(whole)):
        assert list(frames.scan(whole[:cut])) == [Frame(b"first", first), Torn(first, cut)]


def test_any_damaged_byte_costs_its_own_frame_alone() -> None:
    a, b, c = (frames.pack([payload]) for payload in (b"alpha", b"SPXF in a payload", b"gamma"))
    for at in range(len(a), len(a + b)):
        data = bytearray(a + b + c)
        data[at] ^= 0x40
        found = list(frames.scan(bytes(data)))
        assert found == [Frame(b"alpha", len(a)), Damage(len(a), len(a + b)), Frame(b"gamma", len(a + b + c))]


def test_a_file_belongs_to_its_writer_until_it_is_left(journal: Journal) -> None:
    journal.append([b"one"])
    (path,) = paths(journal.folder)
    with frames.taken_over(path) as mine:
        assert not mine
    journal.rotate()
    with frames.taken_over(path) as mine:
        assert mine
        with frames.taken_over(path) as another:
            assert not another
    journal.append([b"two"])
    assert len(paths(journal.folder)) == 2
    assert all(journal.owns(found) for found in paths(journal.folder))
    assert not Journal(journal.folder).owns(path)


def test_a_file_that_is_full_is_left_for_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path, rotate_bytes=100)
    numbers = []
    for _ in range(5):
        numbers.append(journal.generation())
        journal.append([b"x" * 48])  # 60 bytes with its head
    assert numbers == [1, 1, 2, 2, 3]
    assert [len(contents_of) for contents_of in (path.read_bytes() for path in paths(tmp_path))] == [120, 120, 60]
    journal.stop()


def test_a_write_of_which_the_disk_takes_a_part_leaves_no_part_behind(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append([b"before"])
    real, full = os.write, OSError(errno.ENOSPC, "No space left on device")
    asked: list[int] = []

    def filling(handle: int, data: bytes) -> int:
        asked.append(len(data))
        if len(asked) == 1:
            return real(handle, data[:7])
        raise full

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(JournalError, match="No space left on device"):
        journal.append([b"half"])
    monkeypatch.setattr(os, "write", real)
    assert asked == [16, 9]
    journal.append([b"after"])
    assert contents(journal.folder) == [b"before", b"after"]
    assert len(paths(journal.folder)) == 1


def test_a_part_that_cannot_be_cut_off_is_left_with_its_file(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append([b"before"])
    real = os.write

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda handle, data: real(handle, data[:7]) if len(data) == 16 else broken())
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(JournalError, match="Input/output error"):
            journal.append([b"half"])
    journal.append([b"after"])
    assert contents(journal.folder) == [b"before", b"after"]
    assert len(paths(journal.folder)) == 2


def test_a_folder_that_cannot_be_made_is_said_and_the_next_append_tries_again(tmp_path: Path) -> None:
    (tmp_path / "in_the_way").write_text("a file")
    journal = Journal(tmp_path / "in_the_way" / "journal")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append([b"one"])
    (tmp_path / "in_the_way").unlink()
    journal.append([b"one"])
    assert contents(journal.folder) == [b"one"]
    journal.stop()


KILLED = """
import os, signal, sys
from pathlib import Path
from serving.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.start()
for number in range(1000):
    journal.append([b"%d" % number])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_appended_survives_kill_9_and_its_file_is_free(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert contents(tmp_path) == [b"%d" % number for number in range(1000)]
    with frames.taken_over(paths(tmp_path)[0]) as mine:
        assert mine


def test_groups_are_synced_without_anybody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def counted(handle: int) -> None:
        synced.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", counted)
    journal = Journal(tmp_path, sync_s=0.01)
    journal.start()
    for number in range(200):
        journal.append([b"%d" % number])
    journal.stop()
    assert 1 <= len(synced) < 50
    assert journal.unsynced is None


def test_a_file_that_was_not_synced_is_left_and_said_until_it_was_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, sync_s=0.001)
    journal.append([b"one"])

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        journal._sync()
    journal.append([b"two"])
    journal._sync()  # the disk tells of pages it lost once
    failed, present = paths(tmp_path)
    assert journal.unsynced == f"{failed.name} could not be synced to the disk: Input/output error"
    for path, free in ((failed, True), (present, False)):
        with frames.taken_over(path) as mine:
            assert mine is free
    journal.stop()
    assert journal.unsynced is not None
    assert contents(tmp_path) == [b"one", b"two"]
    failed.unlink()
    assert journal.unsynced is None


def test_on_a_disk_that_never_syncs_files_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    for _ in range(5):
        journal.append([b"one"])
        journal._sync()
    assert len(paths(tmp_path)) == 2
    journal.stop()
