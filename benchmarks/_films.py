"""Rendered people who do everyday things: films and their virtual streams, kept in a cache, and exact sensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy.spatial.transform import Rotation

from har_virtual import Recording, convert_videos
from har_virtual.datasets import load_converted
from har_virtual.exceptions import DataWarning
from har_virtual.imu import SITES as USUAL_PLACES
from har_virtual.imu import Placement, SensorModel
from har_virtual.pose.skeletons import BODY_22
from har_virtual.recording import VideoClip
from har_virtual.studio import Camera, Scene, following, perform
from har_virtual.studio.actor import Actor

RATE_HZ = 30.0
SIZE_PX = (480, 360)
SITES = ("left_wrist", "left_thigh", "right_wrist", "right_thigh")
STEADY = (
    *("standing", "sitting", "walking", "turning", "running", "squatting", "jumping_jacks", "waving", "ironing"),
    "vacuum_cleaning",
)
# Each is done once in a film, in a second or two.
BRIEF = ("standing_up", "sitting_down")
_TAKES = dict.fromkeys(STEADY, 1) | {"walking": 2, "turning": 2} | dict.fromkeys(BRIEF, 4)
_DURATION_S = dict.fromkeys(STEADY, 5.0) | dict.fromkeys(BRIEF, 4.5)
_GO_SOMEWHERE = ("walking", "running")
# Nobody is before the camera and wears sensors, too.
N_FILMED, _FIRST_FILMED, _FIRST_WEARER = 8, 5000, 6000
# Share of the way between sitting and standing within which nobody moves yet, or any more.
_AT_REST = 0.04
# The watch's x points to the elbow. The phone's x points to the left, y up, z forwards: in the frame of the thigh z, -x
# and -y.
_WORN = {
    "right_wrist": np.diag([-1.0, -1.0, 1.0]),
    "right_thigh": np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]),
}
_ASKEW_DEG = 8.0
_CHIP = SensorModel(acc_noise_std=0.05, acc_bias_std=0.15, acc_scale_std=0.01, acc_cross_axis_std=0.01, acc_range=78.0)


@dataclass(frozen=True)
class Film:
    """Somebody filmed once."""

    activity: str
    person: int
    take: int

    @property
    def name(self) -> str:
        return f"{self.activity}_{self.person}_{self.take}"

    def actor(self) -> Actor:
        seed = _FIRST_FILMED + self.person
        return perform(self.activity, duration_s=_DURATION_S[self.activity], seed=seed, take=self.take)

    def render(self, folder: Path) -> VideoClip:
        """Write the film, if it is not there; each is seen from another side."""
        actor, path = self.actor(), folder / f"{self.name}.mp4"
        if not path.exists():
            seed = [_FIRST_FILMED, self.person, self.take, (*STEADY, *BRIEF).index(self.activity)]
            azimuth_deg = np.random.default_rng(seed).uniform(-70, 70)
            # Who goes somewhere is followed, or would be small in the picture.
            way = following(actor) if self.activity in _GO_SOMEWHERE else None
            camera = Camera.facing([actor], azimuth_deg=azimuth_deg, size_px=SIZE_PX, path=way)
            Scene([actor], camera, seed=int(seed[0] + 100 * self.take + self.person)).write_video(
                path, frame_rate_hz=RATE_HZ, n_jobs=1
            )
        return VideoClip(path, label=self.activity, subject=actor.subject)


def all_films() -> list[Film]:
    """Every film, by take, person and activity: whoever stops early has a bit of everything."""
    films = [
        Film(name, person, take)
        for name, takes in _TAKES.items()
        for person in range(N_FILMED)
        for take in range(takes)
    ]
    return sorted(films, key=lambda film: (film.take, film.person))


def film_streams(cache: Path, films: Sequence[Film] | None = None, *, n_jobs: int | None = None) -> list[Recording]:
    """Render and convert what the cache has not, as anybody's videos; give the virtual streams at all sites.

    Nothing but pixels goes from the film to its stream; the labels within it are those of somebody who watches it.
    """
    films = all_films() if films is None else films
    folder = cache / "films"
    folder.mkdir(parents=True, exist_ok=True)
    clips = Parallel(n_jobs=n_jobs)(delayed(Film.render)(film, folder) for film in films)
    with warnings.catch_warnings():
        # What is doubtful stands in the streams, and is left out below.
        warnings.simplefilter("ignore", DataWarning)
        streams = convert_videos(
            clips,
            cache / "streams",
            sites=SITES,
            overlay=False,
            sampling_rate_hz=RATE_HZ,
            quantities=("acc",),
            cache_dir=cache / "motions",
            n_jobs=n_jobs,
        )
        found = load_converted(streams, persons="main", doubtful=False)
    by_name = {film.name: film for film in films}
    return [labelled(each, by_name[each.session].actor()) for each in found if each.session in by_name]


def labelled(recording: Recording, actor: Actor) -> Recording:
    """Label each sample as somebody would who watches: of standing up and sitting down, what comes before and after."""
    if actor.label not in BRIEF:
        return recording
    pelvis = BODY_22.index("pelvis")
    height = actor.pose(np.linspace(0.0, actor.duration_s, 200))[0][:, pelvis, 2]
    low, high = height.min(), height.max()
    share = (actor.pose(recording.times_s)[0][:, pelvis, 2] - low) / (high - low)
    labels = np.full(len(recording), actor.label, dtype=object)
    labels[share < _AT_REST] = "sitting"
    labels[share > 1 - _AT_REST] = "standing"
    return recording.replace(labels=labels)


def sensor_streams(
    n_people: int = 8,
    *,
    activities: Iterable[str] = (*STEADY, *BRIEF),
    duration_s: float = 24.0,
    n_brief: int = 8,
    rate_hz: float = 50.0,
) -> list[Recording]:
    """Simulate the real side: exact readings of other people, with the errors of a cheap chip, and worn a bit askew."""
    takes = [(name, take) for name in activities for take in range(n_brief if name in BRIEF else 1)]
    return [stream for person in range(n_people) for stream in _worn_by(person, takes, duration_s, rate_hz)]


def _worn_by(person: int, takes: Sequence[tuple[str, int]], duration_s: float, rate_hz: float) -> list[Recording]:
    seed = _FIRST_WEARER + person
    rng = np.random.default_rng(seed)
    places = {site: _askew(site, rng) for site in _WORN}
    actors = [
        perform(name, duration_s=_DURATION_S[name] if name in BRIEF else duration_s, seed=seed, take=take)
        for name, take in takes
    ]
    ideal = [actor.imu(places, rate_hz, quantities=("acc",)) for actor in actors]
    # One chip a site: its bias stays from stream to stream, its noise goes on.
    readings = np.concatenate([stream.data for stream in ideal])
    ideal_sites = np.split(readings, len(_WORN), axis=1)
    sites = [np.asarray(_CHIP.apply(site, None, None, rate_hz, random_state=rng)[0]) for site in ideal_sites]
    pieces = np.split(np.hstack(sites), np.cumsum([len(stream) for stream in ideal])[:-1])
    return [
        labelled(
            stream.replace(data=data, domain="real", session=f"{name}_{take}", attrs={"sensor": "simulated"}), actor
        )
        for stream, data, actor, (name, take) in zip(ideal, pieces, actors, takes, strict=True)
    ]


def _askew(site: str, rng: np.random.Generator) -> Placement:
    """Put a sensor where somebody wears it, turned by some degrees about an axis that is theirs."""
    usual = USUAL_PLACES[site]
    strap = Rotation.from_rotvec(np.deg2rad(_ASKEW_DEG) * rng.standard_normal(3)).as_matrix()
    fraction = usual.fraction + float(rng.uniform(-0.06, 0.06))
    return Placement(segment=usual.segment, fraction=fraction, offset_m=usual.offset_m, rotation=strap @ _WORN[site])
