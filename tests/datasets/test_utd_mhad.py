from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from samples import script_of
from scipy.io import loadmat, savemat

import har_virtual
from har_virtual.datasets.survey import survey_dataset
from har_virtual.datasets.utd_mhad import UTD_MHAD, UTD_MHAD_ACTIONS, load_utd_mhad, load_utd_mhad_motions
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES, Placement
from har_virtual.testing.datasets import check_dataset

SAMPLE = Path(__file__).parents[2] / "datasets" / "utd_mhad"
SITE_OF = {3: "right_wrist", 23: "right_thigh"}
ONE_HANDED = ["swipe_left", "swipe_right", "wave", "draw_x", "draw_circle_cw", "draw_triangle", "knock", "catch"]


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    for folder in ("Inertial", "Skeleton"):
        shutil.copytree(SAMPLE / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture(scope="module")
def utd_mhad(test_data: Path) -> Path:
    return test_data / "utd_mhad"


def overlap(real, virtual) -> tuple[np.ndarray, np.ndarray]:
    """Samples of both streams that are of the same time."""
    shift = round((virtual.start_s - real.start_s) * real.sampling_rate_hz)
    start, stop = max(0, shift), min(len(real), len(virtual) + shift)
    return real.data[start:stop], virtual.data[start - shift : stop - shift]


def pairs(recordings) -> list[tuple]:
    real, virtual = (recordings.select(domain=domain) for domain in ("real", "virtual"))
    assert [(r.group, r.session, r.labels) for r in real] == [(v.group, v.session, v.labels) for v in virtual]
    return list(zip(real, virtual, strict=True))


def norm_correlations(recordings) -> np.ndarray:
    """Median over trials of the correlation of |acc| and of |gyr|."""
    found = []
    for real, virtual in pairs(recordings):
        x, y = (np.linalg.norm(each.reshape(-1, 2, 3), axis=2) for each in overlap(real, virtual))
        found.append([np.corrcoef(x[:, q], y[:, q])[0, 1] for q in (0, 1)])
    return np.median(found, axis=0)


# The sample


def test_the_script_writes_the_sample_that_lies_beside_it(make_sample, tmp_path):
    written = make_sample.write_sample(tmp_path)
    committed = sorted(SAMPLE.rglob("*.mat"))
    assert sorted(path.relative_to(tmp_path) for path in written) == [path.relative_to(SAMPLE) for path in committed]
    for path in committed:
        variable = "d_iner" if path.parent.name == "Inertial" else "d_skel"
        again = loadmat(tmp_path / path.relative_to(SAMPLE))[variable]
        np.testing.assert_allclose(again, loadmat(path)[variable], rtol=0, atol=1e-12)


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 60_000


# Analytic: the sample's sensor is exact, so is the virtual one


@pytest.mark.parametrize(("action", "subject"), [(3, 1), (3, 2), (23, 1), (23, 2)])
def test_the_virtual_stream_is_the_real_one_on_exact_motion(make_sample, action, subject):
    recordings = load_utd_mhad(SAMPLE, sites=SITE_OF[action], subjects=[subject], cutoff_hz=None)
    real, virtual = recordings
    assert virtual.start_s == pytest.approx(make_sample.LAG_S[action, subject])
    assert virtual.attrs["lag_s"] == virtual.start_s
    assert virtual.attrs["lag_trusted"]
    assert virtual.attrs["lag_correlation"] > 0.999
    expected, found = overlap(real, virtual)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.06)
    # The splines have only one side to lean on at their ends.
    np.testing.assert_allclose(found[10:-10], expected[10:-10], rtol=0, atol=0.003)


def test_the_default_low_pass_finds_the_same_lags(make_sample):
    for action, site in SITE_OF.items():
        for real, virtual in pairs(load_utd_mhad(SAMPLE, sites=site)):
            assert virtual.start_s == pytest.approx(make_sample.LAG_S[action, int(real.subject)])
            assert virtual.attrs["cutoff_hz"] == 2.5


def test_real_streams_are_in_standard_units():
    real = load_utd_mhad(SAMPLE, subjects=["2"], domain="real")[0]
    raw = loadmat(SAMPLE / "Inertial" / "a3_s2_t1_inertial.mat")["d_iner"]
    np.testing.assert_allclose(real.data[:, :3], raw[:, :3] * 9.80665, rtol=1e-6)
    np.testing.assert_allclose(real.data[:, 3:], raw[:, 3:] * np.pi / 180, rtol=1e-6)
    assert real.channels == tuple(f"right_wrist_{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in "xyz")
    assert (real.sampling_rate_hz, real.start_s) == (50.0, 0.0)


def test_recordings_say_what_they_are():
    real, virtual = load_utd_mhad(SAMPLE, sites="right_thigh", subjects="2")
    for recording, domain, folder in ((real, "real", "Inertial"), (virtual, "virtual", "Skeleton")):
        assert (recording.group, recording.session, recording.labels) == ("utd_mhad/2", "a23_t1", "walk")
        assert recording.domain == domain
        assert recording.channels[0] == "right_thigh_acc_x"
        assert (recording.attrs["action"], recording.attrs["trial"]) == (23, 1)
        assert (SAMPLE / recording.attrs["file"]).parent.name == folder
    assert len(virtual) == len(real)
    assert virtual.attrs["source_rate_hz"] == pytest.approx(47 / (154 / 50))


def test_real_ones_come_first_and_then_the_virtual_ones_in_the_same_order():
    recordings = load_utd_mhad(SAMPLE)
    assert [(r.domain, r.subject) for r in recordings] == [(d, s) for d in ("real", "virtual") for s in "12"]
    assert [r.domain for r in load_utd_mhad(SAMPLE, domain="virtual")] == ["virtual"] * 2


def test_recordings_go_into_windows():
    windows = har_virtual.segment_recordings(load_utd_mhad(SAMPLE), window_length_s=1.0, overlap=0.5)
    assert windows.X.shape[1:] == (50, 6)
    assert set(windows.groups) == {"utd_mhad/1", "utd_mhad/2"}
    assert set(windows.y) == {"wave"}
    assert set(windows.sample_domain) == {0, 1}


def test_recordings_survive_a_file(tmp_path):
    virtual = load_utd_mhad(SAMPLE, domain="virtual")[0]
    assert har_virtual.Recording.load(virtual.save(tmp_path / "virtual.parquet")).attrs == virtual.attrs


def test_processes_give_the_same_streams():
    for one, two in zip(load_utd_mhad(SAMPLE), load_utd_mhad(SAMPLE, n_jobs=2), strict=True):
        np.testing.assert_array_equal(one.data, two.data)
        assert one.attrs == two.attrs


def test_no_lag_allowed_means_no_lag():
    for virtual in load_utd_mhad(SAMPLE, domain="virtual", max_lag_s=0.0):
        assert virtual.start_s == virtual.attrs["lag_s"] == 0.0


def test_where_nothing_moves_the_expected_lag_is_taken_and_not_trusted(sample):
    path = sample / "Skeleton" / "a3_s1_t1_skeleton.mat"
    still = np.repeat(loadmat(path)["d_skel"][:, :, :1], 50, axis=2)
    savemat(path, {"d_skel": still})
    virtual = load_utd_mhad(sample, subjects=[1], domain="virtual")[0]
    assert virtual.start_s == virtual.attrs["lag_s"] == pytest.approx(-0.04)
    assert not virtual.attrs["lag_trusted"]


def test_a_placement_turns_the_virtual_sensor_only():
    usual = SITES["right_wrist"].get_params()
    turned = Placement(**{**usual, "rotation": np.diag([1.0, -1.0, -1.0])})
    (real, straight), (same, upside_down) = (load_utd_mhad(SAMPLE, subjects=1, placement=p) for p in (None, turned))
    np.testing.assert_array_equal(real.data, same.data)
    np.testing.assert_allclose(upside_down.data, straight.data * np.array([1, -1, -1] * 2), atol=1e-5)


# The contract


@pytest.mark.parametrize("options", [{}, {"sites": None}, {"domain": "real", "sites": None}])
def test_the_loader_keeps_the_contract(options):
    assert check_dataset(load_utd_mhad, SAMPLE, **options) == []


def test_both_sites_are_loaded_where_none_is_named():
    recordings = load_utd_mhad(SAMPLE, sites=None)
    assert [(r.domain, r.subject, r.session, r.channels[0][:-6]) for r in recordings] == [
        (domain, subject, session, site)
        for domain in ("real", "virtual")
        for subject in "12"
        for session, site in (("a3_t1", "right_wrist"), ("a23_t1", "right_thigh"))
    ]
    with pytest.raises(ValueError, match="sites='right_wrist'"):
        load_utd_mhad(SAMPLE, sites=None, placement=SITES["right_wrist"])


def test_a_quantity_is_chosen_after_the_lag_was_found():
    for whole, chosen in zip(load_utd_mhad(SAMPLE), load_utd_mhad(SAMPLE, quantities="gyr"), strict=True):
        np.testing.assert_array_equal(chosen.data, whole.data[:, 3:])
        assert chosen.start_s == whole.start_s


def test_the_set_is_described_by_its_card():
    assert load_utd_mhad(SAMPLE, domain="real").DESCR.startswith("# UTD-MHAD")


def test_861_trials_were_published_with_both_files():
    files = UTD_MHAD.published()
    assert len(files) == len(set(files)) == 2 * 861
    assert "Skeleton/a27_s8_t4_skeleton.mat" not in files


def test_the_shared_copy_lacks_two_subjects(utd_mhad):
    missing = [file for file in UTD_MHAD.published() if not (utd_mhad / file).is_file()]
    assert {file.split("_")[1] for file in missing} == {"s7", "s8"}


@pytest.mark.parametrize(("folder", "n_real"), [("Skeleton", 2), ("Inertial", 1)])
def test_a_damaged_half_of_a_trial_can_be_left_out(sample, folder, n_real):
    (damaged,) = (sample / folder).glob("a3_s1_*.mat")
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(DataFormatError, match=damaged.name):
        load_utd_mhad(sample)
    with pytest.warns(DataWarning, match=rf"{folder}/{damaged.name} was left out: "):
        recordings = load_utd_mhad(sample, errors="warn")
    assert [r.domain for r in recordings] == ["real"] * n_real + ["virtual"]


def test_a_survey_finds_damaged_skeletons_and_missing_sensors(sample):
    (damaged,) = (sample / "Skeleton").glob("a3_s1_*.mat")
    damaged.write_bytes(damaged.read_bytes()[:200])
    (missing,) = (sample / "Inertial").glob("a23_s2_*.mat")
    missing.unlink()
    survey = survey_dataset("utd_mhad", sample)
    assert list(survey.damaged) == [f"Skeleton/{damaged.name}"]
    assert f"Inertial/{missing.name}" in survey.missing
    assert survey.minutes.loc["1", "walk"] > 0


# Motions


def test_motions_stand_in_the_world_with_z_up():
    motion = load_utd_mhad_motions(SAMPLE, subjects=[1], actions=["wave"])[0]
    raw = loadmat(SAMPLE / "Skeleton" / "a3_s1_t1_skeleton.mat")["d_skel"]
    np.testing.assert_allclose(motion.positions_m[7], np.stack([raw[:, 0, 7], -raw[:, 2, 7], raw[:, 1, 7]], axis=1))
    np.testing.assert_allclose(motion.joint("head")[0] - motion.joint("pelvis")[0], [0, 0, 0.65])
    assert motion.joint("right_wrist")[0, 1] > motion.joint("right_elbow")[0, 1], "who faces the camera bends forward"
    assert (motion.subject, motion.label, motion.attrs["action"]) == ("1", "wave", 3)
    assert motion.attrs["file"] == "Skeleton/a3_s1_t1_skeleton.mat"


def test_motions_of_both_sites_are_loaded():
    labels = [(motion.subject, motion.label) for motion in load_utd_mhad_motions(SAMPLE)]
    assert labels == [("1", "wave"), ("1", "walk"), ("2", "wave"), ("2", "walk")]


def test_frames_are_spread_over_the_sensors_duration():
    motion = load_utd_mhad_motions(SAMPLE, subjects=1, actions=3)[0]
    np.testing.assert_allclose(motion.timestamps_s, np.linspace(0, 149 / 50, 57))
    assert motion.attrs["timing"] == "sensor"


def test_frames_have_the_nominal_rate_where_that_is_asked_for_or_no_sensor_is_there(sample):
    shutil.rmtree(sample / "Inertial")
    without = load_utd_mhad_motions(sample, subjects=1, actions=3)[0]
    asked = load_utd_mhad_motions(SAMPLE, subjects=1, actions=3, timing="nominal")[0]
    for motion in (without, asked):
        np.testing.assert_allclose(motion.timestamps_s, np.arange(57) / 30)
        assert motion.attrs["timing"] == "nominal"


# What is asked for


def test_every_action_has_a_label_of_its_own_and_stands_on_the_card():
    assert list(UTD_MHAD_ACTIONS) == list(range(1, 28))
    assert len(set(UTD_MHAD_ACTIONS.values())) == 27
    card = Path(har_virtual.__file__).parent / "datasets" / "cards" / "utd_mhad.md"
    text = card.read_text(encoding="utf-8")
    assert [label for number, label in UTD_MHAD_ACTIONS.items() if f"{number} {label}" not in text] == []


@pytest.mark.parametrize("actions", [["wave"], ["3"], [3], 3, "wave", [np.int64(3), "wave"]])
def test_actions_are_asked_for_by_name_or_number(actions):
    assert [r.labels for r in load_utd_mhad(SAMPLE, actions=actions, domain="real")] == ["wave", "wave"]


@pytest.mark.parametrize("subjects", [["2"], [2], 2, "2", iter([2])])
def test_subjects_are_asked_for_by_name_or_number(subjects):
    assert [r.subject for r in load_utd_mhad(SAMPLE, subjects=subjects)] == ["2", "2"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sites": "left_wrist"}, "right_wrist, right_thigh"),
        ({"quantities": "mag"}, "acc, gyr"),
        ({"task": "gestures"}, "there is all"),
        ({"errors": "ignore"}, "'raise' or 'warn'"),
        ({"domain": "fake"}, "'both', 'real' or 'virtual'"),
        ({"subjects": [7]}, "no file of subject 7, who is in .*; there is 1, 2"),
        ({"subjects": ["utd_mhad/1"]}, "There is no utd_mhad/1"),
        ({"actions": ["waving"]}, "no action waving here; there are 1 swipe_left, .* 21 pickup_throw"),
        ({"actions": ["walk"]}, "no action walk here"),
        ({"actions": [3], "sites": "right_thigh"}, "no action 3 here; there are 22 jog"),
    ],
)
def test_unknown_names_list_the_known_ones(asked, message):
    with pytest.raises(UnknownNameError, match=message):
        load_utd_mhad(SAMPLE, **asked)


def test_motions_know_their_timings():
    with pytest.raises(UnknownNameError, match="'sensor' or 'nominal'"):
        load_utd_mhad_motions(SAMPLE, timing="kinect")


def test_an_action_that_nobody_did_is_an_error():
    with pytest.raises(DataFormatError, match=r"nothing of what was asked for of subject 1; there is"):
        load_utd_mhad(SAMPLE, subjects=[1], actions=["clap"])
    with pytest.raises(DataFormatError, match="no trial of clap by subject 1"):
        load_utd_mhad_motions(SAMPLE, subjects=[1], actions=["clap"])


# Folders


@pytest.mark.parametrize("name", ["utd_mhad", "UTD-MHAD"])
def test_the_folder_above_will_do(tmp_path, name):
    shutil.copytree(SAMPLE, tmp_path / name)
    assert len(load_utd_mhad(tmp_path)) == 4
    assert len(load_utd_mhad_motions(str(tmp_path))) == 4


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder; data_home must be the folder that holds"):
        load_utd_mhad(tmp_path / "nowhere")


@pytest.mark.parametrize("folder", ["Inertial", "Skeleton"])
def test_the_folder_below_is_refused_with_the_right_one(folder):
    with pytest.raises(DataFormatError, match=rf"{folder} is not the home of UTD-MHAD.*: pass {SAMPLE}\.$"):
        load_utd_mhad(SAMPLE / folder)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DataFormatError, match="is empty; data_home must be the folder that holds Inertial/"):
        load_utd_mhad(tmp_path)


@pytest.mark.parametrize("folder", ["Inertial", "Skeleton"])
def test_an_archive_that_was_not_unpacked_is_named(sample, folder):
    shutil.rmtree(sample / folder)
    with pytest.raises(DataFormatError, match=rf"has no folder {folder}/: unpack {folder}\.zip"):
        load_utd_mhad(sample)


@pytest.mark.parametrize("folder", ["Inertial", "Skeleton"])
def test_an_empty_folder_is_named(sample, folder):
    for path in (sample / folder).iterdir():
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(DataFormatError, match=rf"{folder} has no file a\*_s\*_t\*_"):
        load_utd_mhad(sample)


def test_real_streams_need_no_skeletons(sample):
    shutil.rmtree(sample / "Skeleton")
    assert len(load_utd_mhad(sample, domain="real")) == 2


@pytest.mark.parametrize(("folder", "n_real"), [("Skeleton", 2), ("Inertial", 1)])
def test_a_missing_half_of_a_trial_is_named_and_the_rest_is_loaded(sample, folder, n_real):
    (missing,) = (sample / folder).glob("a3_s1_*.mat")
    missing.unlink()
    with pytest.warns(DataWarning, match=rf"1 trials, for these files are missing: {folder}/{missing.name}"):
        recordings = load_utd_mhad(sample)
    assert [r.domain for r in recordings] == ["real"] * n_real + ["virtual"]
    assert recordings[-1].subject == "2"


# The real data set


@pytest.fixture(scope="module")
def first_subject(utd_mhad):
    return load_utd_mhad(utd_mhad, subjects=[1])


def test_a_subject_has_83_trials_of_21_actions_at_the_wrist(first_subject):
    found = pairs(first_subject)
    assert len(found) == 83
    assert len({real.labels for real, _ in found}) == 21
    assert {recording.group for recording in first_subject} == {"utd_mhad/1"}


def test_the_real_sensor_feels_gravity(first_subject):
    norms = [np.median(np.linalg.norm(r.data[:, :3], axis=1)) for r in first_subject.select(domain="real")]
    assert np.median(norms) == pytest.approx(10.0, abs=0.5)


def test_virtual_streams_follow_real_ones(first_subject):
    acc, gyr = norm_correlations(first_subject)
    assert acc > 0.65
    assert gyr > 0.75


def test_lags_are_small_and_the_skeleton_is_late(first_subject):
    lags = [virtual.attrs["lag_s"] for virtual in first_subject.select(domain="virtual")]
    assert -0.1 < np.median(lags) < 0.0
    assert np.mean(np.abs(lags) < 0.2) > 0.9


def test_the_left_wrist_does_not_follow_the_sensor_on_the_right_one(utd_mhad, first_subject):
    left = Placement(**{**SITES["left_wrist"].get_params(), "segment": "left_forearm"})
    other = load_utd_mhad(utd_mhad, subjects=[1], placement=left)
    assert (norm_correlations(other) < norm_correlations(first_subject) - 0.15).all()


def test_a_half_turn_about_the_forearm_brings_all_six_axes_together(utd_mhad):
    turned = Placement(**{**SITES["right_wrist"].get_params(), "rotation": np.diag([1.0, -1.0, -1.0])})
    found = []
    for real, virtual in pairs(load_utd_mhad(utd_mhad, subjects=[2], placement=turned)):
        x, y = overlap(real, virtual)
        found.append([np.corrcoef(x[:, axis], y[:, axis])[0, 1] for axis in range(6)])
    # A mirrored skeleton, or transposed rotations, would leave at least one axis with the wrong sign.
    assert (np.median(found, axis=0) > 0.2).all()


def test_subjects_face_the_camera_and_act_with_the_right_hand(utd_mhad):
    motions = load_utd_mhad_motions(utd_mhad, actions=ONE_HANDED)
    for motion in motions:
        right = (motion.joint("right_shoulder") - motion.joint("left_shoulder")).mean(axis=0)
        assert right[0] > 0.1, motion.attrs["file"]
        assert (motion.joint("head") - motion.joint("right_foot"))[:, 2].min() > 1, motion.attrs["file"]
    ways = np.array(
        [
            [np.linalg.norm(np.diff(motion.joint(f"{side}_wrist"), axis=0), axis=1).sum() for side in ("right", "left")]
            for motion in motions
        ]
    )
    assert (ways[:, 0] > 3 * ways[:, 1]).mean() > 0.99


@pytest.mark.slow
def test_six_subjects_reach_the_figures_of_the_card(utd_mhad):
    wrist, thigh = (load_utd_mhad(utd_mhad, sites=site) for site in ("right_wrist", "right_thigh"))
    assert (len(pairs(wrist)), len(pairs(thigh))) == (503, 143)
    np.testing.assert_allclose(norm_correlations(wrist), [0.74, 0.83], atol=0.02)
    np.testing.assert_allclose(norm_correlations(thigh), [0.42, 0.76], atol=0.02)
    still = load_utd_mhad(utd_mhad, max_lag_s=0.0)
    np.testing.assert_allclose(norm_correlations(still), [0.60, 0.77], atol=0.02)
    rates = [virtual.attrs["source_rate_hz"] for virtual in wrist.select(domain="virtual")]
    assert 50 / np.median(rates) == pytest.approx(2.63, abs=0.03)
    trusted = [np.mean([v.attrs["lag_trusted"] for v in each.select(domain="virtual")]) for each in (wrist, thigh)]
    np.testing.assert_allclose(trusted, [0.97, 0.69], atol=0.02)
