"""What a version was trained on, small enough to lie beside it: what later days are set against.

Belongs here: the file `reference.msgpack` of an artifact: its structs, encoding and reading. Does not: making it from training
rows (`summary`), comparing later rows with it (`compare`), the artifact's other files (`scoring.artifact`).

Per instrument and quantity it holds the edges of bins and the distribution function at them for each two hours of the trading
day, how far windows of its own days lay off, and how the middle of a day follows that of the day before. With 120 inputs it
takes some 200 KB.
"""

from functools import cached_property

import msgspec
import numpy as np

from spx_assets.monitoring.counting import BLOCKS, EDGES, F32, F64
from spx_assets.monitoring.errors import ReferenceMissingError
from spx_assets.monitoring.habit import Habit
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactMissingError

FILE = "reference.msgpack"
SCHEMA = 3
LONGEST = 5
"""Trading days of the longest window that can be set against a reference."""
UNIT = 65535
"""Shares are kept as 16 bits: 0.00001 is far below any distance that matters."""


class Section(msgspec.Struct, frozen=True, dict=True):
    """Quantities of one instrument as they were in training. Arrays are bytes, little-endian, row-major."""

    instrument: str
    every: int
    """Minutes between the rows that were looked at, and are to be looked at in what is compared."""
    names: tuple[str, ...]
    rows: tuple[int, ...]
    """Known values of each quantity among them."""
    missing: tuple[float, ...]
    """Share of them that is not known."""
    edge_bytes: bytes
    share_bytes: bytes
    usual_bytes: bytes
    habit_bytes: bytes

    @cached_property
    def edges(self) -> F32:
        """Float32 [quantities, BLOCKS, EDGES], ascending; NaN where the hours had no row."""
        return np.frombuffer(self.edge_bytes, dtype="<f4").reshape(-1, BLOCKS, EDGES)

    @cached_property
    def shares(self) -> F64:
        """Share of the rows of the hours that are at most each edge, [quantities, BLOCKS, EDGES]."""
        return np.frombuffer(self.share_bytes, dtype="<u2").reshape(-1, BLOCKS, EDGES) / UNIT

    @cached_property
    def usual(self) -> F64:
        """`distance.Usual` of windows of 1 to LONGEST days, [2 (spread, freedom), LONGEST, quantities]; NaN where not known."""
        return np.frombuffer(self.usual_bytes, dtype="<f4").reshape(2, LONGEST, -1).astype(np.float64)

    @cached_property
    def habit(self) -> Habit:
        """How the daily middle of each quantity moves."""
        return Habit(*np.frombuffer(self.habit_bytes, dtype="<f8").reshape(len(Habit._fields), -1))


class Reference(msgspec.Struct, frozen=True):
    """All that an artifact says of the rows it was trained on."""

    inputs: tuple[Section, ...]
    """Model inputs over the whole training window, an instrument each."""
    target: tuple[Section, ...]
    """`return_bp` over the whole window."""
    forecasts: tuple[Section, ...]
    """`expected_return_bp` and `probability_up` over the rows that the fit did not see."""
    attributions: tuple[Section, ...] = ()
    """`occlusion.shares` of the inputs that count most, over rows that the fit did not see; none of a model of sequences."""
    schema: int = SCHEMA

    def of(self, kind: str, instrument: str) -> Section | None:
        """The section of an instrument among `inputs`, `target`, `forecasts` or `attributions`; None where it has none."""
        sections: tuple[Section, ...] = getattr(self, kind)
        return next((section for section in sections if section.instrument == instrument), None)


def encode(reference: Reference) -> bytes:
    """The file's bytes: the same for the same reference."""
    return msgspec.msgpack.encode(reference)


def read(artifact: Artifact) -> Reference:
    """The reference of a verified artifact; ReferenceMissingError for one that has none."""
    manifest = artifact.manifest
    remedy = f"train it again: `spx train {manifest.name}`"
    if FILE not in manifest.files:
        raise ReferenceMissingError(
            f"{manifest.name} {manifest.version} keeps no {FILE}, for it was trained before references were kept; {remedy}"
        )
    try:
        found = msgspec.msgpack.decode((artifact.folder / FILE).read_bytes(), type=Reference)
    except FileNotFoundError as error:
        raise ArtifactMissingError(
            f"{artifact.folder / FILE} is missing; restore the artifact or train the model again"
        ) from error
    if found.schema != SCHEMA:
        raise ReferenceMissingError(
            f"{FILE} of {manifest.name} {manifest.version} has schema {found.schema}, this version reads {SCHEMA}; {remedy}"
        )
    return found
