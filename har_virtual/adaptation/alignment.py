"""SensorAligner: from the frame of a virtual sensor to that of the real one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from har_virtual.adaptation._rotation_fit import Moments, RotationFit, fit_rotation
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.windows.validation import Triad, as_given, check_sample_domain, check_windows, find_triads

_MIN_CLASSES = 2


class SensorAligner(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Turn virtual windows from the frame of their segment into the frame of the real sensor.

    Nobody knows how a sensor sits on its strap. Real and virtual windows of the same classes tell: one rotation a site
    brings the virtual class means of specific force, which hold gravity, and the shapes of the class covariances of
    acceleration and angular velocity onto the real ones (`method="moments"`), or the class means alone
    (`method="mean"`, Wahba's problem). It serves all triads of the site. Real windows are never changed.

    Where the data cannot decide, because the classes share less than two labels, hold the limb alike or contradict
    each other, the site keeps its frame, and a warning says so.

    Parameters
    ----------
    channels : sequence of str, optional
        Names ``<site>_<acc|gyr|mag>_<x|y|z>`` of the channels. Without them each three consecutive channels are an
        accelerometer at a site of its own, which is wrong for gyroscopes: then give the names.
    method : {"moments", "mean"}, default="moments"
    per_subject : bool, default=False
        Fit another rotation for each subject who has both real and virtual training windows, since everybody straps a
        sensor on differently; needs groups. Other subjects, and those whose data cannot decide, get the common one.
    min_confidence : float, default=0.5
        Share of resamples of the classes that must agree with the fitted rotation within 30 degrees; below it the site
        keeps its frame.
    n_resamples : int, default=50
    random_state : int, RandomState, Generator or None, default=0
        Seeds the resamples.

    Attributes
    ----------
    rotations_ : dict of str to ndarray of shape (3, 3)
        Rotation of each site, from the virtual sensor's frame to the real one's: ``real = rotation @ virtual``.
    subject_rotations_ : dict of (str, str) to ndarray of shape (3, 3)
        The same for (site, subject), where a subject has its own.
    report_ : DataFrame
        One row a site (subject "all"), then one a site and subject: angle_deg and rotation vector in degrees (about x,
        y, z) of what was fitted, confidence, used (whether it is applied), n_classes, gain_acc and gain_gyr (median
        over classes of the real standard deviation over the virtual one: above 1 the video is smoother than the
        sensor).
    real_rows_used_, real_labels_used_ : int
        Real training windows, and labels of such, that the rotations depend on.
    n_features_in_ : int
        Samples in a window.
    n_channels_in_ : int

    Notes
    -----
    fit takes sample_domain (0 real, 1 virtual) and, if `per_subject`, groups; both are requested from metadata routing
    by default. Without y, without sample_domain or without virtual windows nothing is turned.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import SensorAligner
    >>> rng = np.random.default_rng(0)
    >>> postures = np.array([[9.8, 0, 0], [0, 9.8, 0], [0, 0, 9.8]])
    >>> y = np.repeat([0, 1, 2], 20)
    >>> virtual = postures[y][:, None] + rng.normal(size=(60, 30, 3))
    >>> real = virtual @ np.diag([-1, -1, 1])
    >>> aligner = SensorAligner(channels=[f"left_wrist_acc_{axis}" for axis in "xyz"])
    >>> aligned = aligner.fit_transform(
    ...     np.concatenate([real, virtual]), np.tile(y, 2), sample_domain=np.repeat([0, 1], 60)
    ... )
    >>> aligner.rotations_["left_wrist"].round(2) + 0.0
    array([[-1.,  0.,  0.],
           [ 0., -1.,  0.],
           [ 0.,  0.,  1.]])
    """

    __metadata_request__fit: ClassVar[dict] = {"sample_domain": True, "groups": True}
    __metadata_request__transform: ClassVar[dict] = {"sample_domain": True, "groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "channels": ["array-like", None],
        "method": [StrOptions({"moments", "mean"})],
        "per_subject": ["boolean"],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        *,
        channels: Sequence[str] | None = None,
        method: str = "moments",
        per_subject: bool = False,
        min_confidence: float = 0.5,
        n_resamples: int = 50,
        random_state: Any = 0,
    ) -> None:
        self.channels = channels
        self.method = method
        self.per_subject = per_subject
        self.min_confidence = min_confidence
        self.n_resamples = n_resamples
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, *, sample_domain: ArrayLike | None = None, groups: Any = None
    ) -> SensorAligner:
        """Fit the rotations on training windows.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
        y : array-like of shape (n_windows,), optional
            Labels, of real and virtual windows alike.
        sample_domain : array-like of shape (n_windows,), optional
            0 real, 1 virtual; None means all real.
        groups : array-like of shape (n_windows,), optional
            Subject of each window, for `per_subject`.

        Raises
        ------
        DataFormatError
            If there are virtual windows but no real ones, or `per_subject` lacks groups.

        Warns
        -----
        DataWarning
            Where a site keeps its frame because the data cannot decide.
        """
        windows, labels = check_windows(self, X, y, reset=True)
        virtual = check_sample_domain(sample_domain, len(windows))
        self.triads_ = find_triads(self.channels, windows.shape[2])
        self.rotations_ = {triad.site: np.eye(3) for triad in self.triads_}
        self.subject_rotations_: dict[tuple[str, str], np.ndarray] = {}
        self.report_ = pd.DataFrame(columns=_REPORT_COLUMNS)
        self.real_rows_used_ = self.real_labels_used_ = 0
        if not virtual.any() or labels is None:
            return self
        if virtual.all():
            raise DataFormatError(
                f"All {len(windows)} training windows are virtual: SensorAligner needs real ones to align them with. "
                "Leave it out of the pipeline to train without any real data."
            )
        rows = [self._fit_site(site, windows, labels, virtual) for site in self.rotations_]
        if self.per_subject:
            subjects = _check_subjects(groups, len(windows))
            for subject in np.intersect1d(subjects[virtual], subjects[~virtual]):
                own = subjects == subject
                rows += [
                    self._fit_site(site, windows[own], labels[own], virtual[own], subject) for site in self.rotations_
                ]
        self.report_ = pd.DataFrame(rows, columns=_REPORT_COLUMNS)
        used = np.isin(labels, labels[virtual]) & ~virtual
        self.real_rows_used_ = self.real_labels_used_ = int(used.sum())
        return self

    def _fit_site(
        self, site: str, X: np.ndarray, y: np.ndarray, virtual: np.ndarray, subject: str | None = None
    ) -> dict[str, Any]:
        """Fit and store one rotation; give its row of the report."""
        triads = [triad for triad in self.triads_ if triad.site == site]
        classes, counts = _shared_classes(y, virtual)
        fit, gains = RotationFit(np.eye(3), 0.0), {}
        if len(classes) >= _MIN_CLASSES:
            first, second = (_moments(X[rows], y[rows], classes, triads) for rows in (virtual, ~virtual))
            gains = _gains(first, second, triads)
            if self.method == "mean":
                first, second = (Moments(m.means, m.covariances[:0]) for m in (first, second))
            rng = np.random.default_rng(_seed(self.random_state))
            fit = fit_rotation(first, second, np.sqrt(counts), n_resamples=self.n_resamples, rng=rng)
        used = fit.confidence > 0 and fit.confidence >= self.min_confidence
        if used and subject is not None:
            self.subject_rotations_[site, subject] = fit.rotation
        elif used:
            self.rotations_[site] = fit.rotation
        elif subject is None:
            warnings.warn(
                f"{site}: its virtual windows keep their frame, since {len(classes)} shared classes do not tell the "
                f"real sensor's (confidence {fit.confidence:.2f}). More classes that hold the limb differently would; "
                "or give the Placement its rotation.",
                DataWarning,
                stacklevel=4,
            )
        vector = Rotation.from_matrix(fit.rotation).as_rotvec(degrees=True)
        return {
            "site": site,
            "subject": "all" if subject is None else subject,
            "angle_deg": float(np.linalg.norm(vector)),
            **{f"about_{axis}_deg": float(value) for axis, value in zip("xyz", vector, strict=True)},
            "confidence": fit.confidence,
            "used": used,
            "n_classes": len(classes),
            **gains,
        }

    def transform(
        self, X: ArrayLike, *, sample_domain: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> np.ndarray:
        """Turn the virtual windows.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
        sample_domain : array-like of shape (n_windows,), optional
            None means all real: nothing is turned.
        groups : array-like of shape (n_windows,), optional
            With `per_subject`: windows of a subject with a rotation of their own take that.

        Returns
        -------
        ndarray of the shape of X
        """
        check_is_fitted(self)
        windows, _ = check_windows(self, X, reset=False)
        virtual = check_sample_domain(sample_domain, len(windows))
        turned, samples = windows.copy(), np.arange(windows.shape[1])
        for triad in self.triads_ if virtual.any() else []:
            for rows, rotation in self._rotations_of(triad.site, virtual, groups):
                vectors = np.ix_(rows, samples, np.array(triad.columns))
                turned[vectors] = windows[vectors] @ rotation.T.astype(windows.dtype)
        return as_given(turned, X)

    def _rotations_of(self, site: str, virtual: np.ndarray, groups: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows and the rotation that they take."""
        if not self.subject_rotations_ or groups is None:
            return [(np.flatnonzero(virtual), self.rotations_[site])]
        subjects = _check_subjects(groups, len(virtual))
        return [
            (
                np.flatnonzero(virtual & (subjects == subject)),
                self.subject_rotations_.get((site, subject), self.rotations_[site]),
            )
            for subject in np.unique(subjects[virtual])
        ]

    def fit_transform(
        self, X: ArrayLike, y: ArrayLike | None = None, *, sample_domain: ArrayLike | None = None, groups: Any = None
    ) -> np.ndarray:
        """Fit, then turn the same windows; parameters as in fit."""
        fitted = self.fit(X, y, sample_domain=sample_domain, groups=groups)
        return fitted.transform(X, sample_domain=sample_domain, groups=groups)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


_REPORT_COLUMNS = [
    *["site", "subject", "angle_deg", "about_x_deg", "about_y_deg", "about_z_deg"],
    *["confidence", "used", "n_classes", "gain_acc", "gain_gyr"],
]


def _check_subjects(groups: Any, n_windows: int) -> np.ndarray:
    if groups is None or np.shape(groups) != (n_windows,):
        raise DataFormatError(
            f"SensorAligner(per_subject=True) needs groups, the subject of each of {n_windows} windows; in a Pipeline "
            "they come by scikit-learn's metadata routing."
        )
    return np.asarray(groups)


def _shared_classes(y: np.ndarray, virtual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes that both domains have, and the smaller number of windows of each."""
    classes = np.intersect1d(y[virtual], y[~virtual])
    counts = [min(np.sum(y[virtual] == label), np.sum(y[~virtual] == label)) for label in classes]
    return classes, np.array(counts, dtype=float)


def _moments(X: np.ndarray, y: np.ndarray, classes: np.ndarray, triads: list[Triad]) -> Moments:
    """Class means of specific force (nothing without an accelerometer), class covariances of acc and gyr."""
    means = np.zeros((len(classes), 3))
    covariances = []
    for triad in triads:
        if triad.quantity == "mag":
            continue
        samples = [X[y == label][:, :, triad.columns].reshape(-1, 3).astype(np.float64) for label in classes]
        if triad.quantity == "acc":
            means = np.array([sample.mean(axis=0) for sample in samples])
        covariances.append([np.cov(sample, rowvar=False, bias=True) for sample in samples])
    return Moments(means, np.array(covariances).reshape(-1, len(classes), 3, 3))


def _gains(first: Moments, second: Moments, triads: list[Triad]) -> dict[str, float]:
    """Median over classes of the second's standard deviation over the first's, by quantity."""
    quantities = [triad.quantity for triad in triads if triad.quantity != "mag"]
    gains = {}
    for quantity, one, other in zip(quantities, first.covariances, second.covariances, strict=True):
        power, other_power = (np.trace(each, axis1=1, axis2=2) for each in (one, other))
        ratios = np.sqrt(other_power[power > 0] / power[power > 0])
        gains[f"gain_{quantity}"] = float(np.median(ratios)) if len(ratios) else np.nan
    return gains


def _seed(random_state: Any) -> Any:
    """What numpy's Generator takes; scikit-learn's RandomState gives it a draw."""
    if isinstance(random_state, np.random.RandomState):
        return random_state.randint(2**31)
    return random_state
