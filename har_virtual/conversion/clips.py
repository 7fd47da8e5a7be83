"""Clips through both halves of a conversion, one after another or side by side; what fails becomes a reason."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool
from sklearn.utils.parallel import Parallel, delayed

from har_virtual import __version__
from har_virtual._optional import import_optional
from har_virtual.conversion.cache import MotionCache
from har_virtual.conversion.estimation import MotionSettings, clip_motions
from har_virtual.conversion.motions import ClipMotions, PersonMotion
from har_virtual.exceptions import DataFormatError, HarVirtualError, MissingDependencyError
from har_virtual.imu import Placement, SensorModel, simulate_imu
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording, VideoClip

_LOG = logging.getLogger(__name__)
# What a stream says of its video.
_REPORTED = ("video", "sha256", "clip_s", "timing", "camera", "body", "pose")


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
        # From the first frame to the end of the last one.
        length_s = report["duration_s"] + 1 / report["timing"]["fitted_rate_hz"]
        made = {"clip_length_s": length_s, "random_state": self.random_state, "har_virtual": __version__}
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


@dataclass(frozen=True, eq=False)
class ConvertedClip:
    """One clip after conversion: its motions, or the reason why there are none."""

    clip: VideoClip
    motions: ClipMotions | None = None
    recordings: Mapping[int, Recording] = field(default_factory=dict)
    reason: str | None = None
    messages: tuple[tuple[type[Warning], str], ...] = ()


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
