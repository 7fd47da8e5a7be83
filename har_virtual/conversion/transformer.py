"""VideoToVirtualIMU: a list of videos in, one Recording a video out."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.parallel import Parallel, delayed

from har_virtual import __version__
from har_virtual._optional import import_optional
from har_virtual.camera import Intrinsics
from har_virtual.conversion.cache import MotionCache, default_cache_dir
from har_virtual.conversion.estimation import MotionSettings, clip_motions
from har_virtual.conversion.motions import ClipMotions, PersonMotion
from har_virtual.exceptions import DataFormatError, HarVirtualError, MissingDependencyError
from har_virtual.imu import Placement, SensorModel, simulate_imu
from har_virtual.imu.sensor import resolve_sensor
from har_virtual.imu.sites import resolve_placements
from har_virtual.imu.streams import channel_names, check_quantities, check_sampling_rate
from har_virtual.pose import MediaPipePose, PoseBackend
from har_virtual.recording import Recording, VideoClip, check_positive

_LOG = logging.getLogger(__name__)
# What a stream says of its video.
_REPORTED = ("video", "sha256", "clip_s", "timing", "camera", "body", "pose")


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
        folder = default_cache_dir() if self.cache_dir is None else Path(self.cache_dir) if self.cache_dir else None
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
        tilt = (self.camera_pitch_deg, self.camera_roll_deg)
        fixed_seed, fixed_jobs = self.random_state is not None, self.n_jobs is not None
        cache_dir = self.cache_dir
        rules = {
            "pose must have skeleton, cache_key and detect (PoseBackend)": isinstance(pose, PoseBackend),
            "pnp must be 'translation' or 'paper'": self.pnp in ("translation", "paper"),
            "person must be 'main', 'central' or a track id from 1": (
                self.person in ("main", "central") or _is_whole(self.person, at_least=1)
            ),
            "camera_pitch_deg and camera_roll_deg must be finite numbers": all(map(_is_finite, tilt)),
            "cutoff_hz must be a number above 0, or None": (
                self.cutoff_hz is None or (_is_finite(self.cutoff_hz) and self.cutoff_hz > 0)
            ),
            "intrinsics must be har_virtual.camera.Intrinsics or None": isinstance(self.intrinsics, Intrinsics | None),
            "gravity must be True or False": isinstance(self.gravity, bool | np.bool_),
            "random_state must be None or a whole number from 0": (
                not fixed_seed or _is_whole(self.random_state, at_least=0)
            ),
            "n_jobs must be None or a whole number but 0": (
                not fixed_jobs or (_is_whole(self.n_jobs, at_least=-1024) and self.n_jobs != 0)
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

    def recording(self, person: PersonMotion, clip: VideoClip, report: Mapping[str, Any]) -> Recording:
        """Give the stream of one person of a clip; `report` is that of the clip's motions."""
        motion = person.motion if clip.subject is None else person.motion.replace(subject=clip.subject)
        recording = simulate_imu(
            motion,
            self.placements,
            self.sampling_rate_hz,
            gravity=self.gravity,
            cutoff_hz=self.cutoff_hz,
            quantities=self.quantities,
            sensor=self.sensor,
            random_state=self._device(report["sha256"], clip.start_s, clip.stop_s, person.track_id),
        )
        source = {name: report[name] for name in _REPORTED}
        made = {"random_state": self.random_state, "har_virtual": __version__}
        return recording.replace(
            labels=clip.label,
            dataset=clip.dataset,
            session=clip.path.stem,
            attrs={**recording.attrs, **source, **person.report, **made},
        )

    def _device(self, *who: Any) -> np.random.Generator | None:
        """Another device for every person of every clip, the same one each time."""
        if self.random_state is None:
            return None
        digest = hashlib.sha256(repr(who).encode()).digest()
        return np.random.default_rng([self.random_state, int.from_bytes(digest[:8], "little")])


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def _is_whole(value: Any, at_least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= at_least


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
            recordings = {person.track_id: plan.recording(person, clip, motions.report) for person in chosen}
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
) -> Iterator[tuple[int, ConvertedClip]]:
    """Convert clips, in parallel where `n_jobs` says so; give each with its index as soon as it is done."""
    import_optional("av", feature="reading video", extra="video")
    from tqdm.auto import tqdm

    # tqdm takes None for "only in a terminal".
    hidden = None if verbose else True
    if n_jobs in (None, 1):
        with tqdm(unit=" frame", disable=hidden) as bar:
            for index, clip in enumerate(clips):
                bar.set_description_str(f"{clip.path.name} ({index + 1}/{len(clips)})")
                yield index, convert_clip(plan, clip, persons, on_frame=bar.update)
    else:
        results = _convert_in_processes(plan, clips, persons, n_jobs)
        yield from tqdm(results, total=len(clips), unit=" video", disable=hidden)


def _convert_in_processes(
    plan: ConversionPlan, clips: Sequence[VideoClip], persons: str | int, n_jobs: int | None
) -> Iterator[tuple[int, ConvertedClip]]:
    """A process that dies takes its pool along: the clips that are left then get a process each."""
    left = dict(enumerate(clips))
    numbered = [delayed(_convert_numbered)(index, plan, clip, persons) for index, clip in left.items()]
    with suppress(BrokenProcessPool):
        for index, result in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(numbered):
            del left[index]
            yield index, result
    for index, clip in left.items():
        yield index, _convert_alone(plan, clip, persons)


def _convert_numbered(
    index: int, plan: ConversionPlan, clip: VideoClip, persons: str | int
) -> tuple[int, ConvertedClip]:
    return index, convert_clip(plan, clip, persons)


def _convert_alone(plan: ConversionPlan, clip: VideoClip, persons: str | int) -> ConvertedClip:
    with ProcessPoolExecutor(max_workers=1) as executor:
        try:
            return executor.submit(convert_clip, plan, clip, persons).result()
        except BrokenProcessPool:
            return ConvertedClip(clip, reason=f"{clip.path}: its process died (out of memory?).")


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
        "doubts": [doubt for _, recording in recordings for doubt in recording.attrs["doubts"]],
        "warnings": [message for _, message in result.messages],
        "camera": report.get("camera"),
        "timing": report.get("timing"),
        "frame_rate_hz": report.get("timing", {}).get("fitted_rate_hz"),
        "n_frames": report.get("n_frames"),
    }
