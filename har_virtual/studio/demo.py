"""The whole library in one call, without a download: rendered people as videos, exact sensors of others as real."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count
from scipy.spatial.transform import Rotation
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from har_virtual._optional import import_optional
from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.conversion import VideoToVirtualIMU
from har_virtual.conversion.clips import ConvertedClip, convert_clip, reissue_warnings
from har_virtual.evaluation import predict_out_of_fold
from har_virtual.exceptions import DataFormatError, DataWarning, NoPersonError
from har_virtual.features import ECDFFeatures
from har_virtual.files import atomic_path
from har_virtual.imu import Placement, SensorModel
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.recording import Recording
from har_virtual.studio.body import check_seed
from har_virtual.studio.cameras import Camera, following
from har_virtual.studio.demo_figure import draw_demo
from har_virtual.studio.performance import Performance, perform
from har_virtual.studio.scene import Scene
from har_virtual.windows import WindowSet, segment_recordings

ACTIVITIES_SHOWN = (
    *("standing", "walking", "running", "squatting", "jumping_jacks", "waving", "ironing", "vacuum_cleaning"),
)
SITE = "right_wrist"
N_VIDEO_PEOPLE, N_SENSOR_PEOPLE = 4, 6
CLIP_S, SENSOR_S = 5.0, 24.0
VIDEO_RATE_HZ, SENSOR_RATE_HZ = 25.0, 50.0
SIZE_PX = (480, 360)
WINDOW_S, FEW_S = 2.0, 8.0
# People of the videos and people of the sensors are never the same.
_VIDEO_SIDE, _SENSOR_SIDE = 0, 1
_PEOPLE = 100
# A watch whose x points to the elbow, worn by everybody a little differently, with the errors of a cheap chip.
_WORN = np.diag([-1.0, -1.0, 1.0])
_STRAP_DEG = 8.0
_CHIP = SensorModel(
    acc_noise_std=0.05,
    acc_bias_std=0.15,
    acc_scale_std=0.01,
    acc_cross_axis_std=0.01,
    acc_range=78.0,
    gyr_noise_std=0.01,
    gyr_bias_std=0.01,
    gyr_scale_std=0.01,
    gyr_range=35.0,
)


@dataclass(frozen=True, eq=False)
class Demo:
    """What `run_demo` made.

    Parameters
    ----------
    table : DataFrame
        One row a way of training: macro-F1 of people held out, its 95 % interval over people, real windows and labels
        that a fold took, and in how many folds the aligner could tell how the watch is worn.
    windows : WindowSet
        Simulated real and virtual windows.
    out_dir : Path
        With ``videos/``, ``results.csv`` and ``demo.png``.
    failed : list of str
        Videos that could not be converted, and why.
    """

    table: pd.DataFrame
    windows: WindowSet
    out_dir: Path
    failed: list[str]

    def describe(self) -> str:
        """Say in a few lines what was done and what came out."""
        real, virtual = (int((self.windows.sample_domain == domain).sum()) for domain in (0, 1))
        rows = [
            f"{name:<34}{row.macro_f1:>8.3f}   {row.low:.3f} to {row.high:.3f}{row.real_labels_used:>14.0f}"
            for name, row in self.table.iterrows()
        ]
        unsure, doubts = self.table["aligned_folds"].min(), []
        if unsure < N_SENSOR_PEOPLE:
            doubts = [
                f"In the least sure row the aligner found the mounting in {unsure:.0f} of {N_SENSOR_PEOPLE} folds."
            ]
        lines = (
            "",
            f"{N_VIDEO_PEOPLE} rendered people, {len(ACTIVITIES_SHOWN)} activities, a watch on the right wrist:",
            f"{virtual} virtual windows of {WINDOW_S:g} s from their videos.",
            f"The real side is SIMULATED: {real} windows of the exact sensors of {N_SENSOR_PEOPLE} other people,",
            "worn another way round, with the errors of a cheap chip. Tested on people who are in no training row.",
            "",
            f"{'trained on':<34}{'macro-F1':>8}   {'95 % over people':<16}{'real labels':>12}",
            *rows,
            "",
            "R2R trains on real windows, V2R on virtual ones, Mix2R on both. Real labels: labelled real windows that",
            "training, aligning and mapping took, in a fold. Mapped per class, but where one map is said.",
            *doubts,
            "",
            f"videos, results.csv and demo.png are in {self.out_dir}",
        )
        return "\n".join(lines)


def run_demo(out_dir: str | Path, *, seed: int = 0, n_jobs: int | None = None, verbose: int = 1) -> Demo:
    """Render videos, convert them, train recognisers with them and test these on simulated sensors of other people.

    Four rendered people do eight things before a camera; their videos become virtual streams of a right wrist, as
    anybody's videos would. The real side is simulated: the exact readings at the wrists of six other people, with the
    errors of a cheap chip, in a watch that is worn another way round and by each a little differently. Recognisers are
    tested on each of these six, who is then in no training row (leave-one-subject-out).

    Parameters
    ----------
    out_dir : path
        Made if it is not there: videos, table and figure, in the place of an earlier demo's.
    seed : int, default=0
        Who the people are.
    n_jobs : int, optional
        Videos at the same time; None for the number of cores.
    verbose : int, default=1
        1 shows a progress bar.

    Returns
    -------
    Demo

    Raises
    ------
    MissingDependencyError
        Without the extras video and plot.
    DataFormatError
        If `out_dir` cannot be written, or seed or n_jobs make no sense.
    NoPersonError
        If no video at all could be converted.
    """
    for module, extra in (("av", "video"), ("mediapipe", "video"), ("matplotlib", "plot")):
        import_optional(module, feature="the demo", extra=extra)
    check_seed("run_demo: seed", seed)
    if n_jobs == 0:
        raise DataFormatError("run_demo: n_jobs must be None or a whole number but 0.")
    videos = _make_folder(Path(out_dir))
    jobs = [(activity, person) for person in range(N_VIDEO_PEOPLE) for activity in ACTIVITIES_SHOWN]
    rendered = list(_render_and_convert(jobs, videos, seed, n_jobs, verbose))
    reissue_warnings(rendered)
    virtual = [next(iter(result.recordings.values())) for result in rendered if result.recordings]
    failed = [result.reason for result in rendered if result.reason]
    if not virtual:
        raise NoPersonError(f"No video of the demo could be converted: {failed[0]}")
    windows = segment_recordings(
        sensor_recordings(seed) + virtual, WINDOW_S, overlap=0.5, sampling_rate_hz=VIDEO_RATE_HZ
    )
    table = compare(windows, seed)
    with atomic_path(Path(out_dir) / "results.csv") as temporary:
        table.to_csv(temporary)
    demo = Demo(table, windows, Path(out_dir), failed)
    shown = next(result for result in sorted(rendered, key=_is_not_shown_first) if result.recordings)
    draw_demo(demo.out_dir / "demo.png", shown, video_actor(*jobs[rendered.index(shown)], seed), table)
    return demo


def _make_folder(out_dir: Path) -> Path:
    videos = out_dir / "videos"
    try:
        videos.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=videos).close()
    except OSError as error:
        raise DataFormatError(f"{out_dir}: the demo cannot write there ({error}). Give another folder.") from error
    return videos


def _is_not_shown_first(result: ConvertedClip) -> bool:
    return result.clip.label != "jumping_jacks"


def video_actor(activity: str, person: int, seed: int) -> Performance:
    """Give one of the people of the videos."""
    return perform(activity, duration_s=CLIP_S, seed=_seed(seed, _VIDEO_SIDE, person))


def _seed(seed: int, side: int, person: int) -> int:
    """Give everybody a number of their own, in all demos."""
    return (2 * seed + side) * _PEOPLE + person


def _render_and_convert(
    jobs: Sequence[tuple[str, int]], folder: Path, seed: int, n_jobs: int | None, verbose: int
) -> Iterator[ConvertedClip]:
    from tqdm.auto import tqdm

    work = (delayed(_render_and_convert_one)(activity, person, folder, seed) for activity, person in jobs)
    results = Parallel(n_jobs=n_jobs or cpu_count(), return_as="generator")(work)
    try:
        yield from tqdm(results, "render, convert", total=len(jobs), unit=" video", disable=None if verbose else True)
    finally:
        # What a worker that was stopped could not take away.
        for unfinished in folder.glob(".*.mp4"):
            unfinished.unlink(missing_ok=True)


def _render_and_convert_one(activity: str, person: int, folder: Path, seed: int) -> ConvertedClip:
    """Film somebody and convert the film as any other; nothing but pixels goes from the one to the other."""
    actor = video_actor(activity, person, seed)
    azimuth_deg = np.random.default_rng([seed, person]).uniform(-70, 70)
    # Who goes somewhere is followed, or would be small in the picture.
    path = following(actor) if activity in ("walking", "running") else None
    camera = Camera.facing([actor], azimuth_deg=azimuth_deg, size_px=SIZE_PX, path=path)
    video = folder / f"{activity}_{person}.mp4"
    clip = Scene([actor], camera, seed=_seed(seed, _VIDEO_SIDE, person)).write_video(video, frame_rate_hz=VIDEO_RATE_HZ)
    imu = VideoToVirtualIMU(sites=[SITE], sampling_rate_hz=VIDEO_RATE_HZ, cache_dir=False)
    return convert_clip(imu.plan(), clip, "main")


def sensor_recordings(seed: int) -> list[Recording]:
    """Give the simulated real side: the exact readings of other people, with the errors of a worn chip."""
    recordings = []
    for person in range(N_SENSOR_PEOPLE):
        rng = np.random.default_rng([seed, _SENSOR_SIDE, person])
        strap = Rotation.from_rotvec(np.deg2rad(_STRAP_DEG) * rng.standard_normal(3)).as_matrix()
        watch = Placement(
            segment="right_forearm",
            fraction=float(rng.uniform(0.82, 0.92)),
            offset_m=(0.0, 0.0, 0.03),
            rotation=strap @ _WORN,
        )
        streams = [
            perform(activity, duration_s=SENSOR_S, seed=_seed(seed, _SENSOR_SIDE, person)).imu(
                {SITE: watch}, SENSOR_RATE_HZ
            )
            for activity in ACTIVITIES_SHOWN
        ]
        # One chip a person: its bias stays from stream to stream, its noise goes on.
        ideal = np.concatenate([stream.data for stream in streams])
        acc, gyr, _ = _CHIP.apply(ideal[:, :3], ideal[:, 3:], None, SENSOR_RATE_HZ, random_state=rng)
        worn = np.split(np.hstack([np.asarray(acc), np.asarray(gyr)]), len(streams))
        recordings += [
            stream.replace(data=data, domain="real", session=stream.labels, attrs={"sensor": "simulated"})
            for stream, data in zip(streams, worn, strict=True)
        ]
    return recordings


def compare(windows: WindowSet, seed: int) -> pd.DataFrame:
    """Train on real, virtual and both, all real data or little of them; test on people who are in no training row.

    The few seconds of a class are mostly one person's. A map per class learns that person, so the guide advises one map
    for all classes there; the table has both.
    """
    few = {"real_seconds_per_class": FEW_S, "window_step_s": windows.attrs["window_step_s"], "random_state": seed}
    raw: dict[str, Any] = {"align": "passthrough", "map": "passthrough"}
    rows: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "R2R": ({**raw, "clf__train_on": "real"}, {}),
        "V2R, as it is": ({**raw, "clf__train_on": "virtual"}, {}),
        "V2R, aligned and mapped": ({"clf__train_on": "virtual"}, {}),
        "Mix2R, aligned and mapped": ({"clf__train_on": "both"}, {}),
        f"R2R, {FEW_S:g} s a class": ({**raw, "clf__train_on": "real"}, few),
        f"Mix2R, {FEW_S:g} s a class, one map": ({"map__per_class": False, "clf__train_on": "both"}, few),
        f"Mix2R, {FEW_S:g} s a class, map per class": ({"clf__train_on": "both"}, few),
    }
    return pd.DataFrame({name: _evaluate(windows, seed, *row) for name, row in rows.items()}).T.rename_axis("training")


def _evaluate(windows: WindowSet, seed: int, parameters: dict[str, Any], folds: dict[str, Any]) -> dict[str, float]:
    model = Pipeline(
        [
            ("align", SensorAligner(channels=windows.channels)),
            ("map", RankDistributionMapper(per_class=True)),
            ("ecdf", ECDFFeatures(n_components=15)),
            ("clf", DomainSelector(RandomForestClassifier(50, random_state=seed))),
        ]
    )
    with config_context(enable_metadata_routing=True), warnings.catch_warnings():
        # Said by aligned_folds.
        warnings.filterwarnings("ignore", f"{SITE} keeps its frame", DataWarning)
        result = predict_out_of_fold(
            model.set_params(**parameters),
            windows.X,
            np.asarray(windows.y),
            cv=LeaveOneSubjectOut(**folds),
            groups=windows.groups,
            sample_domain=windows.sample_domain,
            return_estimators=True,
        )
    assert result.estimators is not None
    aligners = [fitted["align"] for fitted in result.estimators if fitted["align"] != "passthrough"]
    aligned = sum(bool(aligner.report_["used"].all()) for aligner in aligners) if aligners else float("nan")
    summary = {**result.summary(), "aligned_folds": aligned}
    names = ("macro_f1", "low", "high", "real_rows_used", "real_labels_used", "aligned_folds")
    return {name: summary[name] for name in names}
