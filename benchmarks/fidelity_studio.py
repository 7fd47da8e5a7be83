"""How near virtual IMU comes to the truth: rendered people filmed, converted, and held against their exact readings.

The clips stand in fidelity_studio_clips.json, frozen before the first run, in a development and a test part; a list
with another hash is refused. Rows "exact motion" and "exact joints" go without video: what the simulation alone loses.

    python benchmarks/fidelity_studio.py [--part dev|test|all] [--jobs 2]   # writes results/fidelity_studio.json
    python benchmarks/fidelity_studio.py --limit 3                          # a trial that writes nothing
    python benchmarks/fidelity_studio.py --figures                          # the test part's best and worst clip
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, ROOT, data_folder, write_result
from _studio_clips import CLIPS, CLIPS_SHA256, freeze, read_clips
from _studio_figures import draw_take
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from har_virtual import Recording, VideoClip, VideoToVirtualIMU
from har_virtual.imu import simulate_imu
from har_virtual.motion import orient_segments, read_asf_amc, read_bvh
from har_virtual.pose import FramePoses, MediaPipePose, PoseBackend
from har_virtual.signal import lowpass
from har_virtual.skeleton import Motion, Skeleton
from har_virtual.studio import Camera, Scene, perform, play
from har_virtual.studio.actor import Actor, sample_times
from har_virtual.studio.cameras import following, hand_held
from har_virtual.video import Frame

PROTOCOL = """
Rendered people (640x480, H.264, no motion blur) with default settings (BlazePose full, prior focal length, camera
assumed level and still, low-pass 6 Hz), one stream sample a frame; "paper" is pnp="paper", "pitch told" knows the
camera's pitch, "exact motion" simulates from the exact joints and orientations at the frame rate, "exact joints" from
the joints alone. Truth: exact readings at 240 Hz or more, low-passed at 6 Hz, at the frames' times, in the sensors' own
axes. acc: specific force; linear_acc: without gravity; gyr: rad/s. Gaps of up to .5 s are bridged, as by every
conversion; other frames without a person count as the last value, or the first one; a clip in which nobody was found as
0. r: Pearson's of an axis over one clip, 0 for a constant stream; axes (and norms) whose true standard deviation is
under .3 m/s2 or .1 rad/s are left out of r and counted; r_norm: of the vector's length; rmse_axis, rmse: of an axis and
of the vector, no axis left out. A row of a table is "axes left_out r r_mean r_norm r_norm_mean rmse_axis rmse
rmse_inner deviation": r and rmse_axis are medians over clips, sites and axes, the others over clips and sites;
rmse_inner is rmse without .3 s at either end, deviation the true vector's standard deviation, the rmse of a constant.
Repeats film the same act at another pitch or rate or with another camera; they stand in tables of their own beside
their originals and in no other. best and worst: the clips with the highest and the lowest median r of acc among those
with nine axes or more that are not left out. spans: the longer side of the box around the joints in px, median over a
clip. activity_sites: r of x, y and z, mean over clips, "-" where left out.
"""

SITES = (
    "head",
    "chest",
    "waist",
    "left_wrist",
    "right_wrist",
    "right_upper_arm",
    "left_thigh",
    "right_thigh",
    "left_ankle",
    "right_ankle",
    "left_foot",
)
CUTOFF_HZ = 6.0
REFERENCE_RATE_HZ = 240.0
QUIET = {"acc": 0.3, "linear_acc": 0.3, "gyr": 0.1}
AXES = ("x", "y", "z")
# The low-pass and the spline of a conversion lean on one side there.
ENDS_S = 0.3
DEFAULT = "translation"
METHODS: dict[str, dict[str, Any]] = {DEFAULT: {}, "paper": {"pnp": "paper"}}
SPANS_PX = (0, 150, 200, 250, 300, 640)
# Of fewer axes, best and worst would be chance.
MIN_RANKED_AXES = 9
CMU_UNIT_M = 0.056444

Streams = dict[str, np.ndarray]
"""Readings (n_frames, n_sites, 3) of each quantity of QUIET."""


def main() -> None:
    """Read what is asked for, and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("dev", "test", "all"), default="all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=int, help="so many clips only, and nothing is written")
    parser.add_argument("--figures", action="store_true", help="draw the best and the worst clip of the results")
    parser.add_argument("--freeze", action="store_true", help="write the list of clips, once, and print its hash")
    options = parser.parse_args()
    if options.freeze:
        print(freeze(CLIPS))
    elif options.figures:
        draw_extremes(read_clips(CLIPS, CLIPS_SHA256))
    else:
        run(read_clips(CLIPS, CLIPS_SHA256), options.part, options.jobs, options.limit)


# From a clip to streams


class ReplayedPose:
    """A backend that looks at one video once, and says the same whenever it is asked again."""

    def __init__(self, backend: PoseBackend) -> None:
        self.backend = backend
        self.found: list[FramePoses] | None = None

    @property
    def skeleton(self) -> Skeleton:
        return self.backend.skeleton

    @property
    def cache_key(self) -> str:
        return self.backend.cache_key

    def detect(self, frames: Iterable[Frame]) -> Iterator[FramePoses]:
        if self.found is not None:
            for _, poses in zip(frames, self.found, strict=True):
                yield poses
            return
        found = []
        for poses in self.backend.detect(frames):
            found.append(poses)
            yield poses
        self.found = found


@dataclass
class Take:
    """A filmed clip: its truth, and what each method makes of it.

    found and covered are the shares of frames with a detection and with a sample of the default method's stream;
    span_px is how large the person is in the picture, reason why nothing came out.
    """

    film: VideoClip
    rate_hz: float
    exact: Streams
    streams: dict[str, Streams]
    found: float
    covered: float
    span_px: float
    reason: str | None = None


def take_clip(clip: dict[str, Any], folder: Path) -> Take:
    """Act, film and convert a clip; motions stay in the cache `folder`."""
    actor, rate = act(clip), float(clip["rate_hz"])
    scene = Scene([actor], place_camera(clip, actor), seed=clip["seed"])
    path = folder / f"{clip['name']}.mp4"
    film = scene.write_video(path, frame_rate_hz=rate, quality=clip["quality"], n_jobs=1)
    pose = ReplayedPose(MediaPipePose())
    told = {f"{DEFAULT}, pitch told": {"camera_pitch_deg": clip["pitch_deg"]}} if clip["pitch_deg"] else {}
    pairs = {
        name: [convert(film, pose, rate, folder, gravity=gravity, **method) for gravity in (True, False)]
        for name, method in (METHODS | told).items()
    }
    reason = pairs[DEFAULT][0].attrs.get("reason")
    if pose.found is None:
        raise RuntimeError(reason)
    n_frames = len(pose.found)
    for name, motion in simulated_motions(actor, rate).items():
        pairs[name] = [
            simulate_imu(motion, SITES, rate, gravity=gravity, cutoff_hz=CUTOFF_HZ) for gravity in (True, False)
        ]
    on_frames = {name: [place_on_frames(stream, n_frames) for stream in pair] for name, pair in pairs.items()}
    boxes = np.ptp(scene.keypoints_px(np.arange(n_frames) / rate)[0], axis=1)
    return Take(
        film,
        rate,
        exact_streams(actor, n_frames, rate),
        {name: split_quantities(*(hold(values) for values in pair)) for name, pair in on_frames.items()},
        found=float(np.mean([len(poses) > 0 for poses in pose.found])),
        covered=float(np.isfinite(on_frames[DEFAULT][0][:, 0]).mean()),
        span_px=float(np.median(boxes.max(axis=1))),
        reason=reason,
    )


def act(clip: dict[str, Any]) -> Actor:
    """Give the person of a clip."""
    if clip["file"] is None:
        return perform(clip["activity"], duration_s=clip["stop_s"], seed=clip["seed"], take=clip["take"])
    return play(read_mocap(data_folder() / clip["file"], clip["start_s"], clip["stop_s"]), seed=clip["seed"])


def read_mocap(path: Path, start_s: float, stop_s: float | None) -> Motion:
    """Read a part of a CMU take, without the frame at rest that the BVH files begin with."""
    if path.suffix == ".amc":
        motion = read_asf_amc(path.with_name(f"{path.stem.partition('_')[0]}.asf"), path)
    else:
        motion = read_bvh(path, unit_m=CMU_UNIT_M, up="y", skip_frames=1)
    times = motion.timestamps_s - motion.timestamps_s[0]
    kept = (times >= start_s) & (times < (np.inf if stop_s is None else stop_s))
    rotations = None if motion.rotations is None else motion.rotations[kept]
    return motion.replace(positions_m=motion.positions_m[kept], timestamps_s=times[kept], rotations=rotations)


def place_camera(clip: dict[str, Any], actor: Actor) -> Camera:
    """Give the camera of a clip."""
    paths: dict[str, Callable[[], Any]] = {
        "fixed": lambda: None,
        "hand_held": lambda: hand_held(clip["seed"]),
        "following": lambda: following(actor),
    }
    return Camera.facing(
        [actor],
        azimuth_deg=clip["azimuth_deg"],
        pitch_deg=clip["pitch_deg"],
        fov_deg=clip["fov_deg"],
        size_px=tuple(clip["size_px"]),
        path=paths[clip["path"]](),
    )


def convert(film: VideoClip, pose: PoseBackend, rate_hz: float, folder: Path, **method: Any) -> Recording:
    """Convert as a user does; the second time motions come from the cache."""
    imu = VideoToVirtualIMU(
        sites=SITES, sampling_rate_hz=rate_hz, pose=pose, cutoff_hz=CUTOFF_HZ, cache_dir=folder, **method
    )
    return imu.transform([film])[0]


def simulated_motions(actor: Actor, rate_hz: float) -> dict[str, Motion]:
    """Give what a pose estimator without errors would: with orientations, and with those that joints tell."""
    motion = actor.motion(rate_hz)
    return {"exact motion": motion, "exact joints": orient_segments(motion.replace(rotations=None))}


# Scores


def exact_streams(actor: Actor, n_frames: int, rate_hz: float) -> Streams:
    """Give the truth at the frames' times: exact readings at a multiple of the frame rate, low-passed."""
    step = int(np.ceil(REFERENCE_RATE_HZ / rate_hz))
    times = sample_times(actor.duration_s, step * rate_hz)
    acc, gyr, _ = actor.readings(times, SITES)
    linear_acc, *_ = actor.readings(times, SITES, gravity=False)
    streams = {"acc": acc, "linear_acc": linear_acc, "gyr": gyr}
    return {name: lowpass(values, step * rate_hz, CUTOFF_HZ)[::step][:n_frames] for name, values in streams.items()}


def place_on_frames(stream: Recording, n_frames: int) -> np.ndarray:
    """Put a stream's samples where their frames are, NaN elsewhere: (n_frames, n_channels)."""
    values = np.full((n_frames, len(stream.channels)), np.nan)
    frames = np.rint(stream.times_s * stream.sampling_rate_hz).astype(int)
    inside = (frames >= 0) & (frames < n_frames)
    values[frames[inside]] = stream.data[inside]
    return values


def hold(values: np.ndarray) -> np.ndarray:
    """Fill what is missing with the last value, before the first one with that, and with 0 where there is none."""
    return pd.DataFrame(values).ffill().bfill().fillna(0.0).to_numpy(dtype=np.float64)


def split_quantities(with_gravity: np.ndarray, without_gravity: np.ndarray) -> Streams:
    """Take channels (n_frames, sites x (acc, gyr) x axes) apart."""
    force, free = (values.reshape(len(values), -1, 2, 3) for values in (with_gravity, without_gravity))
    return {"acc": force[:, :, 0], "linear_acc": free[:, :, 0], "gyr": force[:, :, 1]}


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's r along the first axis; 0 where either does not change."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 1e-9)


def scores(virtual: np.ndarray, exact: np.ndarray, quiet: float, ends: int = 0) -> pd.DataFrame:
    """Score one quantity (n_frames, n_sites, 3): a row a site; r is NaN where the truth hardly changes.

    rmse_inner is that of the vector without so many frames at either end.
    """
    lengths = [np.linalg.norm(values, axis=-1, keepdims=True) for values in (virtual, exact)]
    r = correlation(*(np.concatenate(pair, axis=-1) for pair in zip((virtual, exact), lengths, strict=True)))
    r[np.concatenate([exact, lengths[1]], axis=-1).std(axis=0) < quiet] = np.nan
    squares = (virtual - exact) ** 2
    axes, inner = squares.mean(axis=0), squares[ends : len(squares) - ends].mean(axis=0)
    deviation = exact.var(axis=0).sum(axis=-1)
    roots = np.sqrt(np.column_stack([axes, axes.sum(axis=-1), inner.sum(axis=-1), deviation]))
    names = [*(f"r_{part}" for part in (*AXES, "norm")), *(f"rmse_{part}" for part in (*AXES, "norm", "inner"))]
    return pd.DataFrame(np.column_stack([r, roots]), columns=[*names, "deviation"])


def score_take(take: Take) -> pd.DataFrame:
    """Score every method, quantity and site of a clip."""
    tables, ends = [], round(ENDS_S * take.rate_hz)
    for method, streams in take.streams.items():
        for quantity, quiet in QUIET.items():
            table = scores(streams[quantity], take.exact[quantity], quiet, ends)
            tables.append(table.assign(method=method, quantity=quantity, site=list(SITES)))
    return pd.concat(tables, ignore_index=True)


# The run


def measure(clip: dict[str, Any]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Give a clip's row and scores; whatever goes wrong is the row's reason and stops nothing else."""
    try:
        with warnings.catch_warnings(), TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            take = take_clip(clip, Path(folder))
        table = score_take(take).assign(clip=clip["name"])
    except Exception as error:  # noqa: BLE001 - one clip must not lose the others
        return {"failed": f"{type(error).__name__}: {error}"}, pd.DataFrame()
    default = table[table.method == DEFAULT]
    row: dict[str, Any] = {name: _round(getattr(take, name)) for name in ("found", "covered")}
    row["span_px"] = round(take.span_px)
    for quantity, group in default.groupby("quantity"):
        row[str(quantity)] = _round(np.nanmedian(_axes(group, "r"))) if _axes(group, "r").size else None
    row["axes"] = int(_axes(default[default.quantity == "acc"], "r").size)
    return row | ({"reason": take.reason} if take.reason else {}), table


def run(clips: list[dict[str, Any]], part: str, n_jobs: int, limit: int | None) -> None:
    """Measure the clips of a part, or of both, and write the tables."""
    clips = [clip for clip in clips if part in (clip["part"], "all")]
    if limit is not None:
        clips = clips[:: max(1, len(clips) // limit)][:limit]
    for package in ("av", "cv2", "mediapipe"):
        # Only workers use them, but the versions in the result are those of what this process has imported.
        import_module(package)
    start = perf_counter()
    measured = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(measure)(clip) for clip in clips)
    rows, tables = zip(*tqdm(measured, total=len(clips), unit=" clip"), strict=True)
    table = pd.concat(tables, ignore_index=True)
    results: dict[str, Any] = {"clips_sha256": CLIPS_SHA256}
    for name in dict.fromkeys(clip["part"] for clip in clips):
        chosen = {clip["name"]: row for clip, row in zip(clips, rows, strict=True) if clip["part"] == name}
        own = [clip for clip in clips if clip["part"] == name]
        results[name] = {"date": f"{date.today()}", "n_jobs": n_jobs, **summarise(own, chosen, table)}
        kinds = [kind for kind in ("formula", "cmu") if kind in results[name]]
        print(json.dumps({kind: results[name][kind]["methods"] for kind in kinds}, indent=1))
    print(f"{len(clips)} clips in {perf_counter() - start:.0f} s; failed: {[r for r in rows if 'failed' in r]}")
    if limit is None:
        print(write_result("fidelity_studio", PROTOCOL, _other_parts() | results))


def _other_parts() -> dict[str, Any]:
    """What an earlier run of the same list found in a part that this one leaves out."""
    path = RESULTS / "fidelity_studio.json"
    earlier = json.loads(path.read_text())["results"] if path.exists() else {}
    return earlier if earlier.get("clips_sha256") == CLIPS_SHA256 else {}


def summarise(clips: list[dict[str, Any]], rows: dict[str, dict[str, Any]], table: pd.DataFrame) -> dict[str, Any]:
    """Make every table of one part; formulas and motion capture stay apart."""
    infos = pd.DataFrame(clips).rename(columns={"name": "clip"})
    spans = infos["clip"].map(lambda name: rows[name].get("span_px", np.nan))
    infos["span_px"] = pd.cut(spans, SPANS_PX).astype(str)
    infos["kind"] = np.where(infos["file"].isna(), "formula", "cmu")
    table = table.merge(infos, on="clip") if len(table) else table.reindex(columns=infos.columns)
    originals = {clip["name"]: rows[clip["name"]] for clip in clips if not clip["repeats"]}
    ranked = sorted((r["acc"], name) for name, r in originals.items() if r.get("axes", 0) >= MIN_RANKED_AXES)
    result: dict[str, Any] = {"worst": ranked[0][1], "best": ranked[-1][1]} if ranked else {}
    for kind, group in table.groupby("kind"):
        own = group[group.repeats.isna()]
        default = own[own.method == DEFAULT]
        keys = {"activities": "activity", "sites": "site", "views": "view", "rates": "rate_hz", "spans": "span_px"}
        result[str(kind)] = {"methods": tabulate(own, "method")}
        result[str(kind)] |= {name: tabulate(default, key) for name, key in keys.items()}
        result[str(kind)]["site_axes"] = site_axes(default)
        if kind == "formula":
            result["formula"]["activity_sites"] = activity_sites(default)
            result["formula"]["repeats"] = {key: repeated(group, key) for key in ("pitch_deg", "rate_hz", "path")}
    return result | {"clips": rows}


def tabulate(table: pd.DataFrame, key: str) -> dict[str, dict[str, str]]:
    """Give a row of figures for every value of a column and every quantity; PROTOCOL names its columns."""
    return {
        str(value): {quantity: summary(group[group.quantity == quantity]) for quantity in QUIET}
        for value, group in table.groupby(key, sort=False, dropna=False)
    }


def summary(table: pd.DataFrame) -> str:
    """Give the figures that PROTOCOL names, of some rows of one quantity."""
    r, norm = _axes(table, "r"), table.r_norm.dropna().to_numpy()
    figures = [f(values) if values.size else None for values in (r, norm) for f in (np.median, np.mean)]
    rmse = [np.median(_axes(table, "rmse")), *table[["rmse_norm", "rmse_inner", "deviation"]].median()]
    return " ".join(map(_text, [r.size, len(AXES) * len(table) - r.size, *figures, *rmse]))


def site_axes(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Give median r of x, y and z, then median RMSE of x, y and z, for every site and quantity."""
    columns = [f"{name}_{axis}" for name in ("r", "rmse") for axis in AXES]
    medians = table.groupby(["site", "quantity"])[columns].median()
    return {site: {q: " ".join(map(_text, medians.loc[site, q])) for q in QUIET} for site in SITES}


def activity_sites(table: pd.DataFrame) -> dict[str, dict[str, dict[str, str]]]:
    """Give mean r of x, y and z for every activity, quantity and site."""
    means = table.groupby(["activity", "quantity", "site"])[[f"r_{axis}" for axis in AXES]].mean()
    return {
        activity: {q: {site: " ".join(map(_text, means.loc[activity, q, site])) for site in SITES} for q in QUIET}
        for activity in table.activity.unique()
    }


def repeated(table: pd.DataFrame, key: str) -> dict[str, dict[str, dict[str, str]]]:
    """Tabulate clips that were repeated with another value of a column, beside their originals."""
    first = table.drop_duplicates("clip").set_index("clip")[key]
    repeats = table[table.repeats.notna()]
    differ = repeats[repeats[key] != repeats.repeats.map(first)]
    both = pd.concat([table[table["clip"].isin(differ.repeats)], differ])
    methods = [name for name in both.method.unique() if name not in ("paper", "exact motion")]
    return {name: tabulate(both[both.method == name], key) for name in methods}


def _axes(table: pd.DataFrame, name: str) -> np.ndarray:
    """All axes' figures, without those that were left out."""
    values = table[[f"{name}_{axis}" for axis in AXES]].to_numpy()
    return values[~np.isnan(values)]


def _round(value: float) -> float:
    return round(float(value), 3)


def _text(value: float | None) -> str:
    if value is None or np.isnan(value):
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


# Figures


def draw_extremes(clips: list[dict[str, Any]]) -> None:
    """Draw the best and the worst clip of the test part."""
    test = json.loads((RESULTS / "fidelity_studio.json").read_text())["results"]["test"]
    for which in ("best", "worst"):
        clip = next(clip for clip in clips if clip["name"] == test[which])
        with TemporaryDirectory() as folder:
            print(draw_clip(clip, Path(folder), ROOT / "docs" / "images" / f"fidelity_{which}.png"))


def draw_clip(clip: dict[str, Any], folder: Path, path: Path) -> Path:
    """Film a clip again and draw the acceleration of the site whose r is nearest to that of the whole clip."""
    take = take_clip(clip, folder)
    table = score_take(take)
    r = table[(table.method == DEFAULT) & (table.quantity == "acc")][[f"r_{axis}" for axis in AXES]].to_numpy()
    typical = np.nanmedian(r)
    site = min(
        range(len(SITES)), key=lambda s: abs(np.nanmedian(r[s]) - typical) if np.isfinite(r[s]).any() else np.inf
    )
    what = f"{clip['activity']}, {clip['view']}: {SITES[site]}".replace("_", " ")
    motions = VideoToVirtualIMU(cache_dir=folder).motions(take.film)
    readings = [streams["acc"][:, site] for streams in (take.exact, take.streams[DEFAULT])]
    return draw_take(path, what, take.film, motions, take.rate_hz, *readings, r[site])


if __name__ == "__main__":
    main()
