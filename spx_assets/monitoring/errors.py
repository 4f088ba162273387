"""What can go wrong in monitoring, one class for each thing a caller can act on.

Belongs here: the exceptions of this package. Does not: any check.
"""

from spx_assets import SpxError


class MonitoringError(SpxError):
    """Something could not be measured."""


class ReferenceMissingError(MonitoringError):
    """The artifact of a version says nothing of the rows it was trained on."""
