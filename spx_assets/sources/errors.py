"""What can go wrong between a provider and the lake, one class per thing a caller can act on.

Belongs here: typed errors of sources. Does not: bad rows, which are quarantined and counted, not raised.
"""

from spx_assets import SpxError


class SourceError(SpxError):
    """A source cannot be read or bound. Subclasses say why; each message names the remedy."""


class FileUnreadableError(SourceError):
    """The file is missing, damaged, or of a kind that is not read."""


class FileAccessError(FileUnreadableError):
    """The file could not be opened or read to its end: what it holds may be whole."""


class ColumnsError(SourceError):
    """The file's columns do not say what a candle needs."""


class TimeZoneError(SourceError):
    """The time zone of the stamps is missing, unknown, or at odds with the market's hours."""


class InstrumentError(SourceError):
    """The instrument is missing, ambiguous, or unknown to the provider."""


class NotMinuteBarsError(SourceError):
    """The rows are not one-minute candles, or none of them is usable."""


class FeedBoundError(SourceError):
    """The instrument already has a feed that this binding would change."""


class LandingError(SourceError):
    """A file that a feed is bound to is missing from the landing folder or was altered there."""


class UnknownProviderError(SourceError):
    """No provider has that name."""


class RangeError(SourceError):
    """The range asked of a provider is empty or lies in the future."""


class DownloadBusyError(SourceError):
    """Another download of the same history is under way."""


class ProviderError(SourceError):
    """A provider did not answer as it should."""


class UnauthorisedError(ProviderError):
    """The provider refused the credentials."""


class NotFoundError(ProviderError):
    """The provider does not know what was asked for."""


class RateLimitError(ProviderError):
    """The provider asks to wait longer than is worth waiting."""


class ProviderDownError(ProviderError):
    """The provider kept failing or could not be reached, after bounded retries."""


class BadAnswerError(ProviderError):
    """The provider answered with something that is not what its interface promises."""
