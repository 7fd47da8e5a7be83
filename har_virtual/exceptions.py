"""Named errors and warnings. Each error is also the builtin that a caller would expect."""

from __future__ import annotations


class HarVirtualError(Exception):
    """Base of every error that this library raises on purpose."""


class DataFormatError(HarVirtualError, ValueError):
    """An array, file or table does not have the documented shape, unit or layout."""


class UnknownNameError(HarVirtualError, ValueError):
    """A site, joint, skeleton, preset or channel that does not exist; the message lists those that do."""


class VideoError(HarVirtualError, OSError):
    """A video is missing, empty, truncated or no video at all."""


class NoPersonError(HarVirtualError, ValueError):
    """A video was read, but nobody in it could be tracked long enough."""


class TermsError(HarVirtualError, PermissionError):
    """A data set is not downloaded before its terms are accepted; the message shows them."""


class DownloadError(HarVirtualError, OSError):
    """A data set could not be fetched; the message says why, and how to do it by hand."""


class FoldError(HarVirtualError, RuntimeError):
    """An estimator failed in a fold; the message names the subjects that the fold holds out."""


class TrainingError(HarVirtualError, RuntimeError):
    """A network could not be trained; the message says in which epoch, and what to change."""


class MissingDependencyError(HarVirtualError, ImportError):
    """An optional dependency is absent; the message names the feature, the extra and the install line."""


class DataWarning(UserWarning):
    """Data that can be used but probably are not what the caller thinks (unit, rate, frame)."""


class SamplingRateWarning(DataWarning):
    """A stream was asked for at a rate that its source cannot fill."""
