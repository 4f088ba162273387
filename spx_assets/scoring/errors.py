"""What can be wrong with a model artifact, one class for each thing a caller can act on.

Belongs here: the exceptions of this package. Does not: any check.
"""

from spx_assets import SpxError


class ArtifactError(SpxError):
    """A model artifact cannot be used."""


class ArtifactMissingError(ArtifactError):
    """A file of the artifact, or the whole of it, is not there."""


class ArtifactAlteredError(ArtifactError):
    """A file of the artifact is not the one that was written."""


class ArtifactForeignError(ArtifactError):
    """The artifact is of another schema, another model or another feature set than it is used for."""
