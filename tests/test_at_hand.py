from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from har_virtual import Recording
from har_virtual.imu import Placement
from har_virtual.imu.streams import channel_names
from har_virtual.studio import Posture, perform
from har_virtual.studio.jets import sin

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "datasets"
# Of a phone that stands upright in a front pocket, in the frame of the thigh.
UPRIGHT = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def benchmark(name: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def at_hand():
    return benchmark("_at_hand")


@pytest.fixture(scope="module")
def films():
    return benchmark("_films")


@pytest.fixture(scope="module")
def streams(films) -> list[Recording]:
    """What two perfect films would give."""
    names = ("walking", "standing_up", "sitting_down", "sitting", "turning")
    actors = [films.Film(name, person, 0).actor() for name in names for person in range(2)]
    return [films.labelled(actor.imu(films.SITES, films.RATE_HZ, quantities=("acc",)), actor) for actor in actors]


@pytest.fixture(scope="module")
def sensors(films) -> list[Recording]:
    names = ("walking", "standing_up", "sitting_down")
    return films.sensor_streams(2, activities=names, duration_s=3.0, n_brief=1)


def runs(recording: Recording) -> list[str]:
    labels = recording.labels
    return [str(labels[0]), *(str(b) for a, b in pairwise(labels) if a != b)]


def test_whoever_is_filmed_wears_no_sensor(films, sensors):
    filmed = {film.actor().subject for film in films.all_films()}
    assert len(filmed) == films.N_FILMED
    assert not filmed & {sensor.subject for sensor in sensors}


def test_every_film_has_a_name_of_its_own(films):
    found = films.all_films()
    assert len({film.name for film in found}) == len(found)
    assert {film.activity for film in found} == {*films.STEADY, *films.BRIEF}


@pytest.mark.parametrize("person", [0, 3])
def test_standing_up_begins_seated_and_ends_standing(films, person):
    actor = films.Film("standing_up", person, 1).actor()
    recording = films.labelled(actor.imu(["left_thigh"], 30.0), actor)
    assert runs(recording) == ["sitting", "standing_up", "standing"]
    assert 0.8 < np.mean(recording.labels == "standing_up") * recording.duration_s < 2.0


def test_sitting_down_begins_standing_and_ends_seated(films):
    actor = films.Film("sitting_down", 2, 0).actor()
    assert runs(films.labelled(actor.imu(["left_thigh"], 30.0), actor)) == ["standing", "sitting_down", "sitting"]


def test_labels_follow_the_clock_of_a_stream_that_begins_late(films):
    actor = films.Film("standing_up", 0, 0).actor()
    whole = actor.imu(["left_thigh"], 30.0)
    late = whole.replace(data=whole.data[30:], start_s=1.0)
    np.testing.assert_array_equal(films.labelled(late, actor).labels, films.labelled(whole, actor).labels[30:])


def test_worn_sensors_are_real_rows_of_a_worn_phone(films):
    (walk,) = films.sensor_streams(1, activities=("standing",), duration_s=4.0)
    assert walk.domain == "real"
    mean = dict(zip(walk.channels, walk.data.mean(axis=0), strict=True))
    # The phone's y points up.
    assert mean["right_thigh_acc_y"] > 8.5
    ideal = perform("standing", duration_s=4.0, seed=6000).imu(["right_thigh"], 50.0, quantities=("acc",))
    assert np.std(np.diff(walk.data[:, 0])) > 3 * np.std(np.diff(ideal.data[:, 0]))


def test_one_chip_keeps_its_bias(films):
    one, other = films.sensor_streams(1, activities=("standing", "waving"), duration_s=2.0)
    ideal = [
        perform(name, duration_s=2.0, seed=6000).imu(["right_thigh"], 50.0, quantities=("acc",))
        for name in ("standing", "waving")
    ]
    off = [
        np.linalg.norm(real.select(channel_names(["right_thigh"], ["acc"])).data, axis=1).mean()
        - np.linalg.norm(exact.data, axis=1).mean()
        for real, exact in zip((one, other), ideal, strict=True)
    ]
    assert off[0] == pytest.approx(off[1], abs=0.03)


def test_a_mirrored_phone_reads_what_the_other_leg_reads(at_hand):
    def star(t, style):
        leg = {"hip_abduction": sin(t * 5.0) * 0.3 + 0.3, "hip_flexion": sin(t * 3.0) * 0.4}
        return Posture({f"{side}_{name}": angle for side in ("left", "right") for name, angle in leg.items()})

    actor = perform(star, duration_s=2.0, seed=1)
    left, right = (
        actor.imu(
            {f"{s}_thigh": Placement(segment=f"{s}_thigh", rotation=UPRIGHT, offset_m=(0.0, -0.07, 0.0))},
            30.0,
            quantities=("acc",),
        )
        for s in ("left", "right")
    )
    mirrored = at_hand.mirrored(left)
    assert mirrored.channels == right.channels
    np.testing.assert_allclose(mirrored.data, right.data, atol=1e-4)
    assert np.abs(left.data - right.data).max() > 1.0


def test_skeletons_and_sensors_of_one_person_share_a_group(at_hand):
    task = at_hand.utd_mhad(SAMPLES / "utd_mhad")
    real, virtual = (set(task.windows.groups[task.windows.sample_domain == domain]) for domain in (0, 1))
    assert real == virtual
    assert task.windows.attrs["window_step_s"] == task.step_s


def test_films_train_the_phone_and_watch_as_other_people(at_hand, streams):
    task = at_hand.phone_and_watch(SAMPLES / "sp_sw_har", streams)
    windows = task.windows
    assert set(windows.y[windows.sample_domain == 1]) == set(at_hand.PHONE_LABELS)
    real, virtual = (set(windows.groups[windows.sample_domain == domain]) for domain in (0, 1))
    assert real == {"sp_sw_har/s01", "sp_sw_har/s02"}
    assert not real & virtual
    assert windows.attrs["window_step_s"] == task.step_s
    assert windows.channels[:1] + windows.channels[-1:] == ("left_thigh_acc_x", "left_wrist_acc_z")


def test_the_studio_has_the_same_classes_on_both_sides(at_hand, streams, sensors):
    task = at_hand.studio(streams, sensors)
    assert set(task.counts()) == {"walking", "standing_up", "sitting_down", "sitting", "standing"}
    assert all(min(sides.values()) > 0 for sides in task.counts().values())


def test_no_source_of_a_transfer_has_people_of_its_target(at_hand, streams, sensors):
    # The sample has no standing up; what is left shows who trains.
    sets = at_hand.transfers(SAMPLES / "utd_mhad", SAMPLES / "sp_sw_har", streams, sensors)
    assert {name: set(pair.sources) for name, pair in sets.items()} == {
        "studio": {"sp_sw_har", "utd_mhad", "films", "utd_mhad skeletons"},
        "sp_sw_har": {"studio", "utd_mhad", "films", "utd_mhad skeletons"},
        "utd_mhad": {"studio", "sp_sw_har", "films"},
    }
    for pair in sets.values():
        for source in pair.sources.values():
            assert source.channels == pair.target.channels
            assert source.X.shape[1:] == pair.target.X.shape[1:]
            assert not set(source.groups) & set(pair.target.groups)
            assert set(source.y) <= set(at_hand.TRANSFER_LABELS)


def test_without_data_sets_the_studio_is_left(at_hand, streams, sensors):
    assert set(at_hand.transfers(None, None, streams, sensors)) == {"studio"}


def test_the_data_that_lie_here_have_every_class(at_hand, test_data, streams):
    task = at_hand.phone_and_watch(test_data / "sp_sw_har", streams)
    counts = task.counts()
    assert set(counts) == set(at_hand.PHONE_LABELS)
    # The largest budget fits into seven people.
    assert min(sides["real"] for sides in counts.values()) * task.step_s * 7 / 8 > max(task.budgets_s)


@pytest.mark.slow
def test_a_film_becomes_a_labelled_stream_and_is_kept(films, tmp_path, monkeypatch):
    film = films.Film("standing_up", 0, 0)
    (stream,) = films.film_streams(tmp_path, [film])
    assert (stream.domain, stream.subject) == ("virtual", film.actor().subject)
    assert runs(stream) == ["sitting", "standing_up", "standing"]
    # The thigh goes from level to upright, so that gravity moves to its axis, which points down.
    x = stream.data[:, stream.channels.index("left_thigh_acc_x")]
    assert x[:20].mean() > -5 and x[-20:].mean() < -8
    monkeypatch.setattr(films.Scene, "write_video", lambda *_, **__: pytest.fail("rendered anew"))
    (again,) = films.film_streams(tmp_path, [film])
    np.testing.assert_array_equal(again.data, stream.data)
