"""What the ledger knows of an answer, and how it lies in the journal.

Belongs here: the facts of a forecast, of a vector, of an answer, their frames, reading them back. Does not: files (`journal`),
tables (`rows`), routes.

A forecast is the same for every answer given from it, so it lies once in a file and answers refer to it by number: an answer
takes 37 bytes and the frame around it 12. Vectors and the names of a feature set, too, lie once a file. No file refers to
another.
"""

import struct
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from serving import frames
from serving.contracts import Source
from serving.frames import Damage, Frame, Torn

NAN = float("nan")
NAMES, VECTOR, FORECAST, ANSWERS = b"N", b"V", b"F", b"A"
ANSWER = struct.Struct("<I16sqd")
ANSWERED = np.dtype([("forecast", "<u4"), ("id", "V16"), ("at", "<i8"), ("age_s", "<f8")])
"""The number of its forecast in the file, its id, when it was answered in microseconds since 1970, the age of its bar."""
Answers = npt.NDArray[np.void]


class FeatureSet(msgspec.Struct, frozen=True, array_like=True):
    """The model inputs behind a feature-set hash, in the order of the manifest."""

    hash: str
    names: tuple[str, ...]


class VectorFacts(msgspec.Struct, frozen=True, array_like=True):
    """One row of model inputs: of which bar, of which feature set, as float32 bytes, NaN for what is not known."""

    instrument: str
    ts_us: int
    feature_set: str
    digest: str
    values: bytes

    @property
    def key(self) -> "VectorKey":
        return self.instrument, self.ts_us, self.feature_set, self.digest


VectorKey = tuple[str, int, str, str]


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """Everything said in a forecast, and what it was said from. Answers from it differ in id, time and age alone."""

    instrument: str
    ts_us: int
    horizon_minutes: int
    model_name: str
    model_version: str
    model_digest: str
    alias: str
    gate: str
    return_head: str
    probability: float
    expected_return_bp: float
    interval_low_bp: float
    interval_high_bp: float
    interval_level: float
    predicted_price: float | None
    signal: str
    threshold: float
    horizon_crosses_close: bool
    features_used: int
    tolerance_min: int
    features_source: Source
    in_sample: bool
    feature_set: str
    as_of_us: int | None = None
    """The past instant that was asked about; None for an answer about now."""
    vector: str | None = None
    """Digest of the bar's row of inputs; None where the caller gave them."""
    inline: bytes | None = None
    """The inputs that the caller gave, float32 [input_rows, features] in the order of the manifest."""


class Entry:
    """A forecast on its way into the journal: its facts, its vectors, and under which number it lies in which file."""

    __slots__ = ("epoch", "facts", "names", "number", "vectors")

    def __init__(self, facts: Facts, names: tuple[str, ...], vectors: tuple[VectorFacts, ...]) -> None:
        self.facts, self.names, self.vectors = facts, names, vectors
        self.epoch, self.number = 0, 0


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """A forecast under the number by which the answers of its file refer to it."""

    number: int
    facts: Facts


_encode = msgspec.msgpack.Encoder().encode
_numbered = msgspec.msgpack.Decoder(Numbered)
_vector = msgspec.msgpack.Decoder(VectorFacts)
_names = msgspec.msgpack.Decoder(FeatureSet)


def vector_digest(values: bytes) -> str:
    """Two rows of one bar with other numbers are two vectors: a bar may be corrected after it was answered from."""
    return xxhash.xxh3_64_hexdigest(values)


def answer(forecast: int, id_: int, at_us: int, age_s: float | None) -> bytes:
    """One answer; a frame holds one or many of them behind `ANSWERS`. NaN stands for an age that is not known."""
    return ANSWER.pack(forecast, id_.to_bytes(16), at_us, NAN if age_s is None else age_s)


def introduction(entry: Entry, number: int, seen: set[object]) -> tuple[list[bytes], set[object]]:
    """The frames that a file needs before answers of `entry`, and what it has seen after them."""
    facts, out, new = entry.facts, list[bytes](), set[object]()
    if facts.feature_set not in seen:
        new.add(facts.feature_set)
        out.append(NAMES + _encode(FeatureSet(facts.feature_set, entry.names)))
    for vector in entry.vectors:
        if vector.key not in seen:
            new.add(vector.key)
            out.append(VECTOR + _encode(vector))
    out.append(FORECAST + _encode(Numbered(number, facts)))
    return out, new


class Contents:
    """What a file says, read from its beginning on; answers are taken away as they are used."""

    def __init__(self) -> None:
        self.forecasts: dict[int, Facts] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.vectors: dict[VectorKey, VectorFacts] = {}
        self.answers: list[bytes] = []
        self.end = 0
        """Where what was read so far ends."""
        self.damages: list[Damage] = []
        self.torn: Torn | None = None

    def take(self) -> Answers:
        """The answers since the last time, as one array of `ANSWERED`."""
        taken, self.answers = self.answers, []
        return np.frombuffer(b"".join(taken), dtype=ANSWERED)

    def _add(self, payload: bytes) -> None:
        """Keep what answers refer to."""
        match payload[:1]:
            case b"F":
                numbered = _numbered.decode(payload[1:])
                self.forecasts[numbered.number] = numbered.facts
            case b"V":
                vector = _vector.decode(payload[1:])
                self.vectors[vector.key] = vector
            case b"N":
                found = _names.decode(payload[1:])
                self.names[found.hash] = found.names

    def read(self, data: bytes, *, start: int = 0, answers: int, patient: bool = False) -> Iterator[int]:
        """Reads a file's bytes; stops after every `answers` answers behind `start` and at the end, and says how many came.

        It begins at the file's beginning, as answers refer to what lies before `start`.
        """
        count = 0
        for found in frames.scan(data, patient=patient):
            self.end = found.end
            if isinstance(found, Frame):
                payload = found.payload
                if payload[:1] != ANSWERS:
                    try:
                        self._add(payload)
                    except msgspec.MsgspecError:  # whole, but of another layout
                        self.damages.append(Damage(found.end - len(payload) - frames.HEAD.size, found.end))
                elif (len(payload) - 1) % ANSWER.size:
                    self.damages.append(Damage(found.end - len(payload) - frames.HEAD.size, found.end))
                elif found.end > start:
                    self.answers.append(payload[1:])
                    count += (len(payload) - 1) // ANSWER.size
            elif isinstance(found, Damage):
                self.damages.append(found)
            else:
                self.torn = found
            if count >= answers:
                yield count
                count = 0
        yield count
