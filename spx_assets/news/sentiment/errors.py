"""What can be wrong with a sentiment model, one class for each thing a caller can act on.

Belongs here: the exceptions of this package. Does not: any check.
"""

from spx_assets import SpxError


class SentimentError(SpxError):
    """Texts cannot be scored."""


class SentimentModelMissingError(SentimentError):
    """There is no such model: neither a folder, nor reachable on the hub."""


class SentimentModelForeignError(SentimentError):
    """The folder does not hold a sentiment model of a form that can be read."""


class SentimentModelAlteredError(SentimentError):
    """A file of the model is not the one that was written."""


class SentimentLabelsError(SentimentError):
    """The model's classes are not negative, neutral and positive."""


class SentimentMemoryError(SentimentError):
    """A single text does not fit into memory."""


class SentimentDependencyError(SentimentError):
    """The libraries that the model runs on are not installed."""
