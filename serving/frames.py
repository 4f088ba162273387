"""Frames of a journal: how bytes lie in a file, and how they are found again in one that was torn or damaged.

Belongs here: packing, scanning, taking over a file whose writer is gone. Does not: writing (`journal`), what a frame means.

A frame is the mark `b"SPXF"`, the length of its payload, a CRC-32 of length and payload (12 bytes, little-endian), the payload.
The mark is there to find the next frame behind damage; a payload may hold it too, as the CRC decides.
"""

import contextlib
import fcntl
import os
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

MARK = b"SPXF"
HEAD = struct.Struct("<4sII")
_SLICE = 512
"""Frames between two rests of a patient scan: 0.5 ms of the interpreter's lock, which answers wait for."""
_REST_S = 0.001


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A whole frame; `end` is where the next one begins."""

    payload: bytes
    end: int


class Damage(msgspec.Struct, frozen=True, gc=False):
    """Bytes [start, end) that are no frame, with a whole frame behind them."""

    start: int
    end: int


class Torn(msgspec.Struct, frozen=True, gc=False):
    """Bytes from `start` to the file's end that are no frame: a write that was cut off, or is under way in a live file."""

    start: int
    end: int


def pack(payloads: Sequence[bytes]) -> bytes:
    """The frames of `payloads`, one behind the other."""
    if len(payloads) == 1:
        payload = payloads[0]
        size = len(payload)
        return HEAD.pack(MARK, size, zlib.crc32(payload, size)) + payload
    parts: list[bytes] = []
    for payload in payloads:
        size = len(payload)
        parts += (HEAD.pack(MARK, size, zlib.crc32(payload, size)), payload)
    return b"".join(parts)


def scan(data: bytes, start: int = 0, *, patient: bool = False) -> Iterator[Frame | Damage | Torn]:
    """What lies in a file's bytes from `start` on, in order. `patient` leaves the interpreter to other threads between slices."""
    at, seen, last = start, 0, len(data)
    while at < last:
        payload = _at(data, at)
        if payload is None:
            found = _next(data, at + 1)
            yield Torn(at, last) if found is None else Damage(at, found)
            at = last if found is None else found
            continue
        at += HEAD.size + len(payload)
        yield Frame(payload, at)
        seen += 1
        if patient and seen % _SLICE == 0:
            time.sleep(_REST_S)


def _at(data: bytes, at: int) -> bytes | None:
    """The payload of the frame that begins at `at`; None if there is no whole one."""
    begin = at + HEAD.size
    if begin > len(data):
        return None
    mark, size, crc = HEAD.unpack_from(data, at)
    payload = data[begin : begin + size]
    return payload if mark == MARK and len(payload) == size and zlib.crc32(payload, size) == crc else None


def _next(data: bytes, at: int) -> int | None:
    """Where the next whole frame from `at` on begins."""
    while (at := data.find(MARK, at)) >= 0:
        if _at(data, at) is not None:
            return at
        at += 1
    return None


@contextlib.contextmanager
def taken_over(path: Path) -> Iterator[bool]:
    """True, and nobody else's until the end, if the writer of the file at `path` is done with it or dead and it is there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # Another may have removed it between open and lock.
        yield path.exists()
    finally:
        os.close(handle)
