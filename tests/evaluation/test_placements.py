"""PAMAP2's wearer, of whom nobody knows the side in a video: from a film to four placements to a score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from har_virtual import convert_videos
from har_virtual.datasets import load_converted, load_pamap2, pool_sides, relabel
from har_virtual.evaluation.amounts import describe_amounts
from har_virtual.evaluation.experiment import evaluate
from har_virtual.model_selection import subject_folds
from har_virtual.recording import RecordingSet
from har_virtual.studio import Camera, Scene, following, perform
from har_virtual.windows import segment_recordings

SAMPLE = Path(__file__).parents[2] / "datasets" / "pamap2"
BOTH_SIDES = ["left_wrist", "right_wrist", "chest", "left_ankle", "right_ankle"]
RATE_HZ = 30.0
WINDOWS = {"window_length_s": 0.3, "overlap": 0.5, "sampling_rate_hz": RATE_HZ}
SITES = ("dominant_wrist", "chest", "dominant_ankle")


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> RecordingSet:
    """A rendered walk, converted at both wrists and both ankles as any film."""
    folder = tmp_path_factory.mktemp("film")
    walker = perform("walking", duration_s=1.5, seed=3)
    camera = Camera.facing([walker], azimuth_deg=40, size_px=(320, 240), path=following(walker))
    clip = Scene([walker], camera, seed=1).write_video(folder / "walk.mp4", frame_rate_hz=RATE_HZ)
    streams = convert_videos(
        [clip],
        folder / "streams",
        sites=BOTH_SIDES,
        sampling_rate_hz=RATE_HZ,
        quantities=["acc"],
        cache_dir=False,
        verbose=0,
    )
    return load_converted(streams)


@pytest.fixture(scope="module")
def virtual(film) -> RecordingSet:
    """The film, and what a film of somebody else would give at best: streams by formula."""
    others = [
        perform(activity, duration_s=3.0, seed=5).imu(BOTH_SIDES, RATE_HZ, quantities=["acc"])
        for activity in ("running", "sitting", "rope_jumping")
    ]
    names = {name: name for name in ("walking", "running", "sitting", "rope_jumping")}
    return relabel([*film, *others], names)


@pytest.fixture(scope="module")
def real() -> RecordingSet:
    return load_pamap2(SAMPLE, task="8-class", quantities="acc", cache=False)


def test_each_film_gives_four_streams_at_the_sites_of_the_real_sensors(film, real):
    placements = pool_sides(film, ("wrist", "ankle"))
    assert [placement.channels for placement in placements] == [real[0].channels] * 4
    for placement in placements:
        wrist, ankle = (placement.attrs["worn"][site] for site in ("wrist", "ankle"))
        for site, own in zip(SITES, (f"{wrist}_wrist", "chest", f"{ankle}_ankle"), strict=True):
            theirs = placement.select([f"{site}_acc_{axis}" for axis in "xyz"])
            np.testing.assert_array_equal(theirs.data, film[0].select([f"{own}_acc_{axis}" for axis in "xyz"]).data)
    assert len({tuple(placement.attrs["worn"].values()) for placement in placements}) == 4
    assert len({placement.data.tobytes() for placement in placements}) == 4


def test_there_are_four_times_as_many_virtual_windows_beside_the_same_real_ones(virtual, real):
    one_side = [channel for channel in virtual[0].channels if not channel.startswith("left")]
    once = segment_recordings((recording.select(one_side) for recording in virtual), **WINDOWS)
    windows = segment_recordings([*real, *pool_sides(virtual)], **WINDOWS)
    assert windows.channels == real[0].channels
    assert (windows.sample_domain == 1).sum() == 4 * len(once)
    alone = segment_recordings(real, **WINDOWS)
    np.testing.assert_array_equal(windows.X[windows.sample_domain == 0], alone.X)


def test_amounts_count_each_placement(virtual, real):
    recordings = [*real, *pool_sides(virtual)]
    amounts = describe_amounts(segment_recordings(recordings, **WINDOWS), recordings)
    once = sum(recording.duration_s for recording in virtual) / 3600
    assert amounts.loc[("virtual", "all"), "hours_recorded"] == pytest.approx(4 * once)
    assert amounts.loc[("virtual", "all"), "subjects"] == 2
    assert 0.9 < amounts.loc[("virtual", "all"), "yield"] <= 1


def test_amounts_know_how_long_a_whole_film_lasts(film):
    amounts = describe_amounts(segment_recordings(film, **WINDOWS), film).loc[("virtual", "all")]
    assert amounts["hours_of_video"] * 3600 == pytest.approx(1.5, abs=1.5 / RATE_HZ)
    assert 0.8 < amounts["yield_of_video"] <= 1


def test_the_placements_of_a_person_are_in_one_fold(virtual, real):
    # As if the people of the films were subjects of the data set.
    owned = [recording.replace(subject="101", dataset="pamap2") for recording in pool_sides(virtual)]
    windows = segment_recordings([*real, *owned], **WINDOWS)
    folds = subject_folds(windows.y, windows.groups, windows.sample_domain)
    n_virtual = {fold.tested: int(windows.sample_domain[fold.train].sum()) for fold in folds}
    every = int(windows.sample_domain.sum())
    assert n_virtual == {("pamap2/101",): 0, ("pamap2/108",): every, ("pamap2/109",): every}


# The sample's people did one thing each.
@pytest.mark.filterwarnings("ignore:Class .* has real windows of")
def test_the_placements_train_recognisers_that_are_tested_on_every_real_window(virtual, real):
    windows = segment_recordings([*real, *pool_sides(virtual)], **WINDOWS)
    kept = windows[np.isin(windows.y, ["walking", "running", "sitting", "rope_jumping"])]
    evaluation = evaluate(
        kept, ["V2R none", "V2R mapped", "Mix2R mapped"], classifier=DecisionTreeClassifier(random_state=0)
    )
    for result in evaluation.results.values():
        np.testing.assert_array_equal(result.rows, np.flatnonzero(kept.sample_domain == 0))
        assert (result.folds["n_train_virtual"] == kept.sample_domain.sum()).all()
        assert (result.folds["untrained_classes"] == "").all()
    assert (evaluation["V2R mapped"].folds["real_labels_used"] == 0).all()
    assert evaluation["Mix2R mapped"].macro_f1 > 0.3
