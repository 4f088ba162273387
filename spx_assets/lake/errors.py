"""Every failure of the lake that a caller can act on.

Belongs here: the exception classes. Does not: raising them, or retrying.
"""

from spx_assets import SpxError


class LakeError(SpxError):
    """The lake could not do what was asked."""


class LakeMissingError(LakeError):
    """A lake was opened for reading where none has been made."""


class ExtensionError(LakeError):
    """A DuckDB extension is neither installed as a wheel nor to be had from the extension repository."""


class LakeBusyError(LakeError):
    """A table's lock was not free in time; the message names its holder."""


class LakeConflictError(LakeError):
    """A transaction kept conflicting with others after every retry; nothing of it was written."""


class ContractError(LakeError):
    """Rows break their table's contract; none of them was written."""


class SnapshotError(LakeError):
    """A snapshot that does not exist, or has been expired."""


class StatementError(LakeError):
    """`spx sql` was given a statement that is not a reading one."""


class LookbackMissingError(LakeError):
    """A week that an asset looks back on has rows at its feed but was never made."""


class HistoryStartError(LakeError):
    """Rows lie before the first trading week of the platform."""
