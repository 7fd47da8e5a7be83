"""VideoToVirtualIMU: a list of videos in, one Recording a video out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.parallel import Parallel, delayed

from har_virtual._optional import import_optional
from har_virtual.camera import Intrinsics
from har_virtual.conversion.cache import MotionCache, default_cache_dir
from har_virtual.conversion.estimation import MotionSettings, clip_motions
from har_virtual.conversion.motions import ClipMotions, PersonMotion
from har_virtual.exceptions import DataFormatError, HarVirtualError, MissingDependencyError
from har_virtual.imu import Placement, SensorModel, simulate_imu
from har_virtual.imu.sites import resolve_placements
from har_virtual.imu.streams import channel_names, check_quantities, check_sampling_rate
from har_virtual.pose import MediaPipePose, PoseBackend
from har_virtual.recording import Recording, VideoClip, check_positive

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ConvertedClip:
    """One clip after conversion: its motions, or the reason why there are none."""

    clip: VideoClip
    motions: ClipMotions | None = None
    recordings: Mapping[int, Recording] = field(default_factory=dict)
    reason: str | None = None
    messages: tuple[tuple[type[Warning], str], ...] = ()


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
        One row a clip of the last `transform`: status, reason, person, number of persons, times.

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
        converted = list(convert_clips(plan, clips, persons=self.person, n_jobs=self.n_jobs, verbose=self.verbose))
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
        if not isinstance(pose, PoseBackend):
            raise DataFormatError(f"pose must have skeleton, cache_key and detect (PoseBackend), {pose!r} has not.")
        if self.pnp not in ("translation", "paper"):
            raise DataFormatError(f"pnp must be 'translation' or 'paper', not {self.pnp!r}.")
        if self.person not in ("main", "central") and not (isinstance(self.person, int) and self.person > 0):
            raise DataFormatError(f"person must be 'main', 'central' or a track id from 1, not {self.person!r}.")
        if self.cutoff_hz is not None:
            check_positive("cutoff_hz", self.cutoff_hz)
        if self.intrinsics is not None and not isinstance(self.intrinsics, Intrinsics):
            raise DataFormatError(f"intrinsics must be har_virtual.camera.Intrinsics or None, not {self.intrinsics!r}.")
        if not np.isfinite([self.camera_pitch_deg, self.camera_roll_deg]).all():
            raise DataFormatError("camera_pitch_deg and camera_roll_deg must be finite numbers.")
        sensor = SensorModel.preset(self.sensor) if isinstance(self.sensor, str) else self.sensor
        if sensor is not None and not isinstance(sensor, SensorModel):
            raise DataFormatError(f"sensor must be a SensorModel, the name of a preset or None, not {sensor!r}.")
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
        if not (self.cache_dir is None or self.cache_dir is False or isinstance(self.cache_dir, str | Path)):
            raise DataFormatError(f"cache_dir must be a path, False or None, not {self.cache_dir!r}.")
        folder = default_cache_dir() if self.cache_dir is None else Path(self.cache_dir) if self.cache_dir else None
        return ConversionPlan(
            settings=settings,
            cache=MotionCache(folder),
            placements=resolve_placements(self.sites),
            sampling_rate_hz=check_sampling_rate(self.sampling_rate_hz),
            quantities=check_quantities(self.quantities),
            gravity=bool(self.gravity),
            cutoff_hz=self.cutoff_hz,
            sensor=sensor,
            random_state=self.random_state,
        )

    def _recording(self, result: ConvertedClip) -> Recording:
        if result.recordings:
            return next(iter(result.recordings.values()))
        return Recording(
            data=np.empty((0, len(self.channels_))),
            sampling_rate_hz=self.sampling_rate_hz,
            channels=self.channels_,
            subject=result.clip.subject,
            labels=result.clip.label,
            domain="virtual",
            attrs={"video": str(result.clip.path), "reason": result.reason},
        )


@dataclass(frozen=True, eq=False)
class ConversionPlan:
    """Checked parameters of both halves."""

    settings: MotionSettings
    cache: MotionCache
    placements: Mapping[str, Placement]
    sampling_rate_hz: float
    quantities: tuple[str, ...]
    gravity: bool
    cutoff_hz: float | None
    sensor: SensorModel | None
    random_state: int | None

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of every Recording."""
        return channel_names(self.placements, self.quantities)

    def recording(self, person: PersonMotion, clip: VideoClip) -> Recording:
        """Give the stream of one person."""
        motion = person.motion
        if clip.subject is not None:
            motion = motion.replace(subject=clip.subject)
        recording = simulate_imu(
            motion,
            self.placements,
            self.sampling_rate_hz,
            gravity=self.gravity,
            cutoff_hz=self.cutoff_hz,
            quantities=self.quantities,
            sensor=self.sensor,
            random_state=None if self.random_state is None else _seed(self.random_state, person.track_id),
        )
        return recording.replace(labels=clip.label, session=clip.path.stem, attrs={**recording.attrs, **person.report})


def _seed(random_state: int, track_id: int) -> np.random.Generator:
    return np.random.default_rng([random_state, track_id])


def as_clips(videos: Any) -> list[VideoClip]:
    """Give a VideoClip for every path or clip; a single path is an error, for it would be read letter by letter."""
    if isinstance(videos, str | Path | VideoClip):
        raise DataFormatError(
            f"Videos must be a list of paths or VideoClips, not one ({videos!r}): write [{videos!r}]."
        )
    return [video if isinstance(video, VideoClip) else VideoClip(Path(video)) for video in videos]


def convert_clip(
    plan: ConversionPlan, clip: VideoClip, persons: str | int, on_frame: Callable[[], Any] | None = None
) -> ConvertedClip:
    """Convert one clip; whatever is wrong with it becomes the reason and stops nothing else.

    Parameters
    ----------
    plan : ConversionPlan
    clip : VideoClip
    persons : str or int
        As `ClipMotions.choose`, or "all".
    on_frame : callable, optional
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            motions = clip_motions(clip, plan.settings, plan.cache, on_frame)
            chosen = motions.persons if persons == "all" and motions.persons else [motions.choose(persons)]
            recordings = {person.track_id: plan.recording(person, clip) for person in chosen}
            result = ConvertedClip(clip, motions, recordings)
        except MissingDependencyError:
            raise
        except HarVirtualError as error:
            result = ConvertedClip(clip, reason=str(error))
        except Exception as error:  # noqa: BLE001 - one bad video must not lose the others
            _LOG.debug("Unexpected error in %s", clip.path, exc_info=True)
            result = ConvertedClip(clip, reason=f"{clip.path}: unexpected {type(error).__name__}: {error}")
    messages = tuple(dict.fromkeys((w.category, str(w.message)) for w in caught))
    return ConvertedClip(result.clip, result.motions, result.recordings, result.reason, messages)


def convert_clips(
    plan: ConversionPlan, clips: Sequence[VideoClip], persons: str | int, n_jobs: int | None, verbose: int
) -> Iterable[ConvertedClip]:
    """Convert clips in order, in parallel where `n_jobs` says so, with a progress bar at verbose=1."""
    import_optional("av", feature="reading video", extra="video")
    from tqdm.auto import tqdm

    if n_jobs in (None, 1):
        with tqdm(unit=" frames", disable=not verbose) as bar:
            for number, clip in enumerate(clips, start=1):
                bar.set_description_str(f"{clip.path.name} ({number}/{len(clips)})")
                yield convert_clip(plan, clip, persons, on_frame=bar.update)
    else:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        results = parallel(delayed(convert_clip)(plan, clip, persons) for clip in clips)
        yield from tqdm(results, total=len(clips), unit=" videos", disable=not verbose)


def reissue_warnings(results: Iterable[ConvertedClip]) -> None:
    """Give the warnings of all clips, each once; workers swallow them otherwise."""
    for category, message in dict.fromkeys(item for result in results for item in result.messages):
        warnings.warn(message, category, stacklevel=3)


def report_row(result: ConvertedClip) -> dict[str, Any]:
    """Give one row of the report."""
    recordings = list(result.recordings.items())
    report = result.motions.report if result.motions else {}
    return {
        "video": str(result.clip.path),
        "start_s": result.clip.start_s,
        "stop_s": result.clip.stop_s,
        "status": "failed" if result.reason else "ok",
        "reason": result.reason,
        "persons": [track for track, _ in recordings],
        "n_persons": len(result.motions.persons) if result.motions else 0,
        "n_samples": [len(recording) for _, recording in recordings],
        "frame_rate_hz": report.get("timing", {}).get("fitted_rate_hz"),
        "n_frames": report.get("n_frames"),
    }
