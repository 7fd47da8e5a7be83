"""VideoToVirtualIMU: a list of videos in, one Recording a video out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from har_virtual.camera import Intrinsics
from har_virtual.checks import check_positive, is_finite_number
from har_virtual.conversion.cache import MotionCache
from har_virtual.conversion.clips import (
    ConversionPlan,
    ConvertedClip,
    as_clips,
    convert_clips,
    reissue_warnings,
    report_row,
)
from har_virtual.conversion.estimation import MotionSettings, clip_motions
from har_virtual.conversion.motions import ClipMotions
from har_virtual.exceptions import DataFormatError
from har_virtual.files import cache_home
from har_virtual.imu import Placement, SensorModel
from har_virtual.imu.sensor import resolve_sensor
from har_virtual.imu.sites import resolve_placements
from har_virtual.imu.streams import check_quantities, check_sampling_rate
from har_virtual.pose import MediaPipePose, PoseBackend
from har_virtual.recording import Recording, VideoClip


class VideoToVirtualIMU(TransformerMixin, BaseEstimator):
    """Turn videos of people into virtual IMU streams (IMUTube, section 2).

    The expensive half, from a video to motions, is cached on disk under the content of the video and every parameter
    that changes it; the cheap half, from a motion to streams, runs anew. So a search over sites, noise or smoothing
    decodes each video once.

    Parameters
    ----------
    sites : sequence of str, or mapping of str to Placement
        Names of `har_virtual.imu.SITES`, or own names with own placements.
    sampling_rate_hz : float, default=30.0
        At most 1,000; above the frame rate the stream is band-limited to half the frame rate, with a warning.
    pose : PoseBackend, optional
        None for `MediaPipePose()`.
    sensor : SensorModel or str, optional
        Errors of a real device, or the name of a preset; None for an ideal one.
    person : {"main", "central"} or int, default="main"
        The person whose stream is given: largest in the picture over time, nearest to its middle, or a track id.
    quantities : sequence of {"acc", "gyr", "mag"}, default=("acc", "gyr")
    gravity : bool, default=True
        Specific force, as an accelerometer has it; False leaves gravity out.
    cutoff_hz : float or None, default=6.0
        Low-pass of positions and orientations before they are differentiated.
    intrinsics : Intrinsics, optional
        Of the camera; None for a prior that the report states.
    camera_pitch_deg, camera_roll_deg : float, default=0.0
        How far the camera looks up, and is turned clockwise; 0 assumes a level camera.
    pnp : {"translation", "paper"}, default="translation"
        See `har_virtual.camera.place_person`.
    min_track_s : float, default=1.0
        Persons who are seen for less are left out.
    cache_dir : path, False or None, default=None
        None for the user's cache directory, False for no cache.
    n_jobs : int, optional
        Videos that are converted at the same time.
    random_state : int, optional
        Seeds the sensor's errors.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    channels_ : tuple of str
        Channels of every Recording.
    report_ : DataFrame
        One row a clip of the last `transform`: status and reason, persons, what is doubtful, and what was assumed of
        camera and timing.

    Notes
    -----
    A clip that cannot be converted gives a Recording of shape (0, n_channels) and a row with the reason. The camera is
    assumed to stand still.

    Examples
    --------
    >>> from har_virtual import VideoToVirtualIMU
    >>> imu = VideoToVirtualIMU(sites=["left_wrist", "right_ankle"], sampling_rate_hz=30)
    >>> recordings = imu.fit_transform(["walk.mp4"])  # doctest: +SKIP
    >>> recordings[0].channels[:3]  # doctest: +SKIP
    ('left_wrist_acc_x', 'left_wrist_acc_y', 'left_wrist_acc_z')
    """

    def __init__(
        self,
        *,
        sites: Sequence[str] | Mapping[str, Placement] = ("left_wrist",),
        sampling_rate_hz: float = 30.0,
        pose: PoseBackend | None = None,
        sensor: SensorModel | str | None = None,
        person: str | int = "main",
        quantities: Sequence[str] = ("acc", "gyr"),
        gravity: bool = True,
        cutoff_hz: float | None = 6.0,
        intrinsics: Intrinsics | None = None,
        camera_pitch_deg: float = 0.0,
        camera_roll_deg: float = 0.0,
        pnp: Literal["translation", "paper"] = "translation",
        min_track_s: float = 1.0,
        cache_dir: str | Path | Literal[False] | None = None,
        n_jobs: int | None = None,
        random_state: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.sites = sites
        self.sampling_rate_hz = sampling_rate_hz
        self.pose = pose
        self.sensor = sensor
        self.person = person
        self.quantities = quantities
        self.gravity = gravity
        self.cutoff_hz = cutoff_hz
        self.intrinsics = intrinsics
        self.camera_pitch_deg = camera_pitch_deg
        self.camera_roll_deg = camera_roll_deg
        self.pnp = pnp
        self.min_track_s = min_track_s
        self.cache_dir = cache_dir
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = False
        return tags

    def fit(self, X: Any = None, y: Any = None) -> VideoToVirtualIMU:
        """Check the parameters; nothing is learned from the videos.

        Raises
        ------
        UnknownNameError, DataFormatError
            For an unknown site or preset or a parameter that does not fit, before any video is opened.
        """
        self.channels_ = self.plan().channels
        return self

    def transform(self, X: Iterable[str | Path | VideoClip]) -> list[Recording]:
        """Give one Recording a clip.

        Parameters
        ----------
        X : sequence of path or VideoClip

        Returns
        -------
        list of Recording
            Domain "virtual", on the clock of the video; with the label and subject of the clip, else subject
            ``video:<sha8>/<track>``. Shape (0, n_channels) where a clip cannot be converted.

        Warns
        -----
        SamplingRateWarning
            If the rate exceeds a video's frame rate.
        """
        plan = self.plan()
        self.channels_ = plan.channels
        clips = as_clips(X)
        numbered = convert_clips(plan, clips, persons=self.person, n_jobs=self.n_jobs, verbose=self.verbose)
        converted = [result for _, result in sorted(numbered, key=lambda pair: pair[0])]
        self.report_ = pd.DataFrame([report_row(result) for result in converted])
        reissue_warnings(converted)
        return [self._recording(result) for result in converted]

    def motions(self, clip: str | Path | VideoClip) -> ClipMotions:
        """Give every person's motion in one clip, from the cache where it is: the half before the sensors.

        Raises
        ------
        VideoError
            If the video cannot be read.
        """
        plan = self.plan()
        return clip_motions(as_clips([clip])[0], plan.settings, plan.cache)

    def plan(self) -> ConversionPlan:
        """Check every parameter, before any video is opened, and give them in the form that the conversion takes."""
        pose = self.pose if self.pose is not None else MediaPipePose()
        self._check(pose)
        settings = MotionSettings(
            pose=pose,
            intrinsics=self.intrinsics,
            pitch_deg=self.camera_pitch_deg,
            roll_deg=self.camera_roll_deg,
            pnp=self.pnp,
            min_track_s=check_positive("min_track_s", self.min_track_s),
        )
        # Reads the model, so that a wrong path to it is no fault of the first video.
        _ = settings.cache_key
        folder = cache_home() if self.cache_dir is None else Path(self.cache_dir) if self.cache_dir else None
        return ConversionPlan(
            settings=settings,
            cache=MotionCache(folder),
            placements=resolve_placements(self.sites),
            sampling_rate_hz=check_sampling_rate(self.sampling_rate_hz),
            quantities=check_quantities(self.quantities),
            gravity=bool(self.gravity),
            cutoff_hz=self.cutoff_hz,
            sensor=resolve_sensor(self.sensor),
            random_state=self.random_state,
        )

    def _check(self, pose: Any) -> None:
        cache_dir = self.cache_dir
        rules = {
            "pose must have skeleton, cache_key and detect (PoseBackend)": isinstance(pose, PoseBackend),
            "pnp must be 'translation' or 'paper'": self.pnp in ("translation", "paper"),
            "person must be 'main', 'central' or a track id from 1": (
                self.person in ("main", "central") or _is_whole(self.person, at_least=1)
            ),
            "camera_pitch_deg must be a finite number": is_finite_number(self.camera_pitch_deg),
            "camera_roll_deg must be a finite number": is_finite_number(self.camera_roll_deg),
            "cutoff_hz must be a number above 0, or None": (
                self.cutoff_hz is None or (is_finite_number(self.cutoff_hz) and self.cutoff_hz > 0)
            ),
            "intrinsics must be har_virtual.camera.Intrinsics or None": isinstance(self.intrinsics, Intrinsics | None),
            "gravity must be True or False": isinstance(self.gravity, bool | np.bool_),
            "random_state must be None or a whole number from 0": (
                self.random_state is None or _is_whole(self.random_state, at_least=0)
            ),
            "n_jobs must be None or a whole number but 0": (
                self.n_jobs is None or (_is_whole(self.n_jobs, at_least=-1024) and self.n_jobs != 0)
            ),
            "cache_dir must be a path, False or None": (
                cache_dir is None or cache_dir is False or isinstance(cache_dir, str | Path)
            ),
        }
        for rule, holds in rules.items():
            if not holds:
                name = rule.split(" ", 1)[0]
                raise DataFormatError(f"{rule}, not {getattr(self, name)!r}.")

    def _recording(self, result: ConvertedClip) -> Recording:
        if result.recordings:
            return next(iter(result.recordings.values()))
        return Recording(
            data=np.empty((0, len(self.channels_))),
            sampling_rate_hz=self.sampling_rate_hz,
            channels=self.channels_,
            subject=result.clip.subject,
            labels=result.clip.label,
            dataset=result.clip.dataset,
            domain="virtual",
            attrs={"video": str(result.clip.path), "reason": result.reason},
        )


def _is_whole(value: Any, at_least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= at_least
