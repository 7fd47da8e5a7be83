"""SensorAligner: from the frame of a virtual sensor to that of the real one."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from har_virtual.adaptation._doubt import warn_caller
from har_virtual.adaptation._rotation_fit import Moments, RotationFit, fit_rotation
from har_virtual.exceptions import DataFormatError
from har_virtual.windows.transformers import WindowTransformerMixin
from har_virtual.windows.validation import Triad, as_given, check_sample_domain, check_windows, find_triads

_MIN_CLASSES = 2


class SensorAligner(WindowTransformerMixin, BaseEstimator):
    """Bring virtual windows and real ones into one frame: that of the real sensor, or that of the segment.

    Nobody knows how a sensor sits on its strap. Real and virtual windows of the same classes tell: one rotation a site
    brings the virtual class means of specific force, which hold gravity, and the shapes of the class covariances of
    acceleration and angular velocity onto the real ones (`method="moments"`), or the class means alone
    (`method="mean"`, Wahba's problem). It serves all triads of the site.

    Where the data cannot decide, because the classes share less than two labels, hold the limb alike or contradict
    each other, the site keeps its frame, and a warning says so.

    Parameters
    ----------
    channels : sequence of str, optional
        Names ``<site>_<acc|gyr|mag>_<x|y|z>`` of the channels. Without them each three consecutive channels are an
        accelerometer at a site of its own, which is wrong for gyroscopes: then give the names.
    method : {"moments", "mean"}, default="moments"
    direction : {"virtual_to_real", "real_to_virtual"}, default="virtual_to_real"
        Which windows are turned. "virtual_to_real" turns virtual ones into the sensor's frame and leaves real ones as
        they are. "real_to_virtual" turns real ones into the segment's frame, x along the limb, which `NormChannels`
        needs; a missing domain means real, hence turned.
    per_subject : bool, default=False
        Fit another rotation for each subject who has both real and virtual training windows, since everybody straps a
        sensor on differently; needs groups, in transform too where virtual windows are turned. Other subjects, and
        those whose data cannot decide, get the common one: so does a person who is to be recognised.
    min_confidence : float, default=0.5
        Share of resamples of the classes that must agree with the fitted rotation within 30 degrees; below it the site
        keeps its frame. The confidence is 0 where the classes do not tell the rotation from another one: their
        difference is to be clear of zero by two standard errors over the classes.
    n_resamples : int, default=50
    random_state : int, RandomState, Generator or None, default=0
        Seeds the resamples.

    Attributes
    ----------
    rotations_ : dict of str to ndarray of shape (3, 3)
        Rotation of each site, from the virtual sensor's frame to the real one's: ``real = rotation @ virtual``.
    subject_rotations_ : dict of (str, subject) to ndarray of shape (3, 3)
        The same for (site, subject as in groups), where a subject has its own.
    report_ : DataFrame
        One row a site (subject "all"), then one a site and subject as in groups: angle_deg and rotation vector in
        degrees (about x, y, z) of what was fitted, confidence, used (whether it is applied), n_classes, gain_acc and
        gain_gyr (median over classes of the real standard deviation over the virtual one: above 1 the video is
        smoother than the sensor).
    real_rows_used_, real_labels_used_ : int
        Real training windows, and labels of such, that the rotations depend on.
    n_features_in_ : int
        Samples in a window.
    n_channels_in_ : int

    Notes
    -----
    fit takes sample_domain (0 real, 1 virtual) and, if `per_subject`, groups; both are requested from metadata routing
    by default. Where fit gets no y, no sample_domain or no virtual windows nothing is ever turned. Accelerations are in
    m/s^2: class means that differ by less than 0.5 m/s^2 are not blown up beside the covariances.

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
        "direction": [StrOptions({"virtual_to_real", "real_to_virtual"})],
        "per_subject": ["boolean"],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        *,
        channels: Sequence[str] | None = None,
        method: Literal["moments", "mean"] = "moments",
        direction: Literal["virtual_to_real", "real_to_virtual"] = "virtual_to_real",
        per_subject: bool = False,
        min_confidence: float = 0.5,
        n_resamples: int = 50,
        random_state: Any = 0,
    ) -> None:
        self.channels = channels
        self.method = method
        self.direction = direction
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
            If there are virtual windows but no real ones, a label is missing, or `per_subject` lacks groups.

        Warns
        -----
        DataWarning
            Where a site keeps its frame because the data cannot decide.
        """
        _check_labels(y)
        windows, labels = check_windows(self, X, y, reset=True)
        virtual = check_sample_domain(sample_domain, len(windows))
        self.triads_ = find_triads(self.channels, windows.shape[2])
        found: list[_Found] = []
        self.real_rows_used_ = self.real_labels_used_ = 0
        if virtual.any() and labels is not None:
            if virtual.all():
                raise DataFormatError(
                    f"All {len(windows)} training windows are virtual: SensorAligner needs real ones to align them "
                    "with. Leave it out of the pipeline to train without any real data."
                )
            # Labels of any types, also mixed ones, as numbers.
            codes, names = pd.factorize(np.asarray(labels))
            found = self._find(windows, codes, virtual, groups)
            self.real_rows_used_ = self.real_labels_used_ = int(np.sum(np.isin(codes, codes[virtual]) & ~virtual))
            _warn_of_undecided(found, names[np.unique(codes[~virtual])], names[np.unique(codes[virtual])])
        self._keep(found)
        return self

    def _find(self, X: np.ndarray, y: np.ndarray, virtual: np.ndarray, groups: Any) -> list[_Found]:
        """Fit the common rotations, then those of the subjects."""
        everybody = np.ones(len(X), dtype=bool)
        parts: list[tuple[Any, np.ndarray]] = [("all", everybody)]
        if self.per_subject:
            codes, subjects = pd.factorize(_check_subjects(groups, len(X)))
            parts += [(subjects[code], codes == code) for code in np.intersect1d(codes[virtual], codes[~virtual])]
        found = []
        for subject, rows in parts:
            common = rows is everybody
            own = (X, y, virtual) if common else (X[rows], y[rows], virtual[rows])
            sites = dict.fromkeys(triad.site for triad in self.triads_)
            found += [self._find_one(site, subject, *own, common=common) for site in sites]
        return found

    def _find_one(
        self, site: str, subject: Any, X: np.ndarray, y: np.ndarray, virtual: np.ndarray, *, common: bool
    ) -> _Found:
        triads = [triad for triad in self.triads_ if triad.site == site]
        classes, counts = _shared_classes(y, virtual)
        fit, gains = RotationFit(np.eye(3), 0.0), {}
        if len(classes) >= _MIN_CLASSES:
            first, second = (
                _moments(X, [rows & (y == label) for label in classes], triads) for rows in (virtual, ~virtual)
            )
            gains = _gains(first, second, triads)
            if self.method == "mean":
                first, second = (Moments(m.means, m.covariances[:0]) for m in (first, second))
            rng = np.random.default_rng(_seed(self.random_state))
            fit = fit_rotation(first, second, np.sqrt(counts), n_resamples=self.n_resamples, rng=rng)
        used = fit.confidence > 0 and fit.confidence >= self.min_confidence
        return _Found(site, subject, common, fit, used, len(classes), gains)

    def _keep(self, found: list[_Found]) -> None:
        """Set what fit learned."""
        self.rotations_ = {triad.site: np.eye(3) for triad in self.triads_}
        self.rotations_ |= {each.site: each.fit.rotation for each in found if each.used and each.common}
        self.subject_rotations_ = {
            (each.site, each.subject): each.fit.rotation for each in found if each.used and not each.common
        }
        self.report_ = pd.DataFrame([each.row() for each in found], columns=_REPORT_COLUMNS)

    def transform(
        self, X: ArrayLike, *, sample_domain: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> np.ndarray:
        """Turn the windows of one domain.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
        sample_domain : array-like of shape (n_windows,), optional
            None means all real.
        groups : array-like of shape (n_windows,), optional
            With `per_subject`: windows of a subject with a rotation of their own take that. Without groups, real
            windows that are turned are a new person's, and take the common one.

        Returns
        -------
        ndarray of the shape of X

        Raises
        ------
        DataFormatError
            If virtual windows are to be turned, subjects have rotations of their own, and groups are missing.
        """
        check_is_fitted(self)
        windows, _ = check_windows(self, X, reset=False)
        virtual = check_sample_domain(sample_domain, len(windows))
        forth = self.direction == "virtual_to_real"
        moving = virtual if forth else ~virtual
        turned, samples = windows.copy(), np.arange(windows.shape[1])
        for triad in self.triads_ if moving.any() else []:
            for rows, rotation in self._rotations_of(triad.site, moving, groups):
                vectors = np.ix_(rows, samples, np.array(triad.columns))
                # Row vectors: v R^T is R v.
                turned[vectors] = windows[vectors] @ (rotation.T if forth else rotation).astype(windows.dtype)
        return as_given(turned, X)

    def _rotations_of(self, site: str, moving: np.ndarray, groups: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows and the rotation that they take."""
        common = self.rotations_[site]
        if not self.subject_rotations_ or (groups is None and self.direction == "real_to_virtual"):
            return [(np.flatnonzero(moving), common)]
        codes, subjects = pd.factorize(_check_subjects(groups, len(moving)))
        return [
            (np.flatnonzero(moving & (codes == code)), self.subject_rotations_.get((site, subjects[code]), common))
            for code in np.unique(codes[moving])
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


class _Found(NamedTuple):
    """What was fitted for a site, on everybody's windows (common) or on one subject's."""

    site: str
    subject: Any
    common: bool
    fit: RotationFit
    used: bool
    n_classes: int
    gains: dict[str, float]

    def row(self) -> dict[str, Any]:
        """Its row of the report."""
        vector = Rotation.from_matrix(self.fit.rotation).as_rotvec(degrees=True)
        return {
            "site": self.site,
            "subject": self.subject,
            "angle_deg": float(np.linalg.norm(vector)),
            **{f"about_{axis}_deg": float(value) for axis, value in zip("xyz", vector, strict=True)},
            "confidence": self.fit.confidence,
            "used": self.used,
            "n_classes": self.n_classes,
            **self.gains,
        }


def _check_labels(y: Any) -> None:
    missing = 0 if y is None else int(np.sum(pd.isna(np.asarray(y, dtype=object))))
    if missing:
        raise DataFormatError(
            f"{missing} labels are missing (None or NaN): SensorAligner compares windows of the same class. Drop those "
            "windows, or give them a label of their own."
        )


def _check_subjects(groups: Any, n_windows: int) -> np.ndarray:
    if groups is None or np.shape(groups) != (n_windows,):
        raise DataFormatError(
            f"SensorAligner(per_subject=True) needs groups, the subject of each of {n_windows} windows; in a Pipeline "
            "they come by scikit-learn's metadata routing."
        )
    subjects = np.asarray(groups)
    if pd.isna(subjects).any():
        raise DataFormatError(
            f"groups is missing (None or NaN) for {pd.isna(subjects).sum()} of {n_windows} windows: "
            "SensorAligner(per_subject=True) needs the subject of each."
        )
    return subjects


def _shared_classes(y: np.ndarray, virtual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes that both domains have, and the smaller number of windows of each."""
    classes = np.intersect1d(y[virtual], y[~virtual])
    counts = [min(np.sum(y[virtual] == label), np.sum(y[~virtual] == label)) for label in classes]
    return classes, np.array(counts, dtype=float)


def _warn_of_undecided(found: list[_Found], real: np.ndarray, simulated: np.ndarray) -> None:
    """Warn, where the caller's code is, of each site that keeps its frame; `real`, `simulated` are the labels."""
    for each in found:
        if not each.common or each.used:
            continue
        why = (
            f"what real and virtual windows have of {each.n_classes} classes does not tell how the sensor is turned "
            f"(confidence {each.fit.confidence:.2f}). More classes that hold the limb differently would; or give the "
            "Placement its rotation."
        )
        if each.n_classes < _MIN_CLASSES:
            why = (
                f"real and virtual windows share {each.n_classes} of the labels, and two are needed at least; the real "
                f"ones' are {real[:5].tolist()} ..., the virtual ones' {simulated[:5].tolist()} ..."
            )
        warn_caller(f"{each.site} keeps its frame: {why}")


def _moments(X: np.ndarray, rows_of: list[np.ndarray], triads: list[Triad]) -> Moments:
    """Class means of specific force (nothing without an accelerometer), class covariances of acc and gyr."""
    means = np.zeros((len(rows_of), 3))
    covariances = []
    for triad in triads:
        if triad.quantity == "mag":
            continue
        vectors = X[:, :, triad.columns]
        samples = [vectors[rows].reshape(-1, 3).astype(np.float64) for rows in rows_of]
        if triad.quantity == "acc":
            means = np.array([sample.mean(axis=0) for sample in samples])
        covariances.append([np.cov(sample, rowvar=False, bias=True) for sample in samples])
    return Moments(means, np.array(covariances).reshape(-1, len(rows_of), 3, 3))


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
