"""What the routes of models say, as msgspec structs.

Belongs here: field names, types, units and meanings of /models and /debug. Does not: how a field is computed.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from serving.contracts import ModelInfo


class ModelDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answers: what it takes, what it was trained on, how it did."""

    info: ModelInfo
    inputs: Annotated[tuple[str, ...], msgspec.Meta(description="Its features in the order in which a list of them is given")]
    required: Annotated[tuple[str, ...], msgspec.Meta(description="Features for which it takes no null")]
    input_rows: Annotated[int, msgspec.Meta(description="Bars it looks at at once")]
    reasons: Annotated[bool, msgspec.Meta(description="Whether it can say what moved a forecast")]
    calibration: str
    interval_level: float
    training_start: datetime
    partition: Annotated[str, msgspec.Meta(description="Trading week of the training, by its Sunday")]
    parameters: dict[str, str | int | float | bool | None]
    metrics: Annotated[dict[str, float | None], msgspec.Meta(description="Every metric of its training, baselines beside them")]
    members: Annotated[dict[str, float], msgspec.Meta(description="Versions that vote in an ensemble, with their weights")]
    versions: Annotated[list[str], msgspec.Meta(description="Versions of the forecaster in the artifact store, oldest first")]


class LoadRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version, or whom an alias names now. The alias that the service follows by itself undoes what was loaded by hand."""

    version: (
        Annotated[
            str,
            msgspec.Meta(
                min_length=1,
                max_length=128,
                description="A version of the artifact store",
                examples=["20251015T160000Z-0001"],
            ),
        ]
        | None
    ) = None
    alias: Annotated[Literal["champion", "challenger", "flagged"] | None, msgspec.Meta(description="Instead of a version")] = None


class Unloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A forecaster that does not answer any more, until its current.json has a new generation or it is loaded again."""

    name: str
    version: Annotated[str | None, msgspec.Meta(description="The version that answered before; null if none did")]
    generation: int


class DebugModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a person looks at who asks why a model answers as it does."""

    info: ModelInfo
    folder: str
    schema: int
    feature_set_hash: str
    input_rows: int
    golden_rows: Annotated[int, msgspec.Meta(description="Known answers that were verified when it was loaded")]
    columns: Annotated[list[int], msgspec.Meta(description="Where its inputs lie in the online vector")]
    nulls: Annotated[dict[str, list[str]], msgspec.Meta(description="By instrument: inputs that are not known at its last bar")]
    git_commit: str
    libraries: dict[str, str]


class DebugInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model store as this process sees it."""

    process: int
    alias: Annotated[str, msgspec.Meta(description="SPX_SERVING__ALIAS: whom the service follows")]
    libraries: dict[str, str]
    models: list[DebugModel]
    refused: Annotated[dict[str, str], msgspec.Meta(description="Forecasters that do not answer as current.json says, and why")]
    manual: Annotated[dict[str, str], msgspec.Meta(description="What operators loaded or unloaded by hand")]
