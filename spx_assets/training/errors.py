"""What can go wrong in training, one class for each thing a caller can act on.

Belongs here: the exceptions of this package. Does not: any check.
"""

from spx_assets import SpxError


class TrainingError(SpxError):
    """A model could not be trained or judged."""


class NotEnoughRowsError(TrainingError):
    """The training window holds too few labelled rows to be split into four segments."""


class UnknownModelError(TrainingError):
    """No such model name, or no such family, in the settings."""


class ParityError(TrainingError):
    """The exported graph does not answer as the native model does."""


class NoCandidateError(TrainingError):
    """The gate was asked about a week for which nothing was trained."""


class PromotionBusyError(TrainingError):
    """Another decision on the same forecaster did not end in time; this one judged and wrote nothing."""


class LeakError(TrainingError):
    """A model input all but tells the label: it must know the future."""


class MissingLibraryError(TrainingError):
    """A family needs a library that is not installed here."""


class MemberError(TrainingError):
    """A member of an ensemble is not there, or was not trained on what the ensemble is calibrated on."""


class TuningError(TrainingError):
    """Trials could not be run or kept."""


class NotReproducibleError(TrainingError):
    """What a version was trained from is not what is here now, so training it again would prove nothing."""


class SnapshotExpiredError(NotReproducibleError):
    """The lake snapshot a version was trained at is gone: it is neither served nor among the newest candidates."""


class ManualDecisionError(TrainingError):
    """A decision by hand that cannot stand: no reason, no such version, or nothing it would change."""


class NotComparableError(TrainingError):
    """Two versions have no rows on which both may be judged."""
