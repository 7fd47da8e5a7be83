"""Rotations that are known come back; where data cannot decide, nothing is turned."""

import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import DomainSelector, SensorAligner
from har_virtual.adaptation._rotation_fit import Moments, angle_between, fit_rotation
from har_virtual.datasets import load_utd_mhad
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.features import ECDFFeatures
from har_virtual.windows import segment_recordings

ACC = [f"left_wrist_acc_{axis}" for axis in "xyz"]
GYR = [f"left_wrist_gyr_{axis}" for axis in "xyz"]
MOUNTING = Rotation.from_rotvec([-172, 10, 21], degrees=True).as_matrix()


def made_windows(rng, n_classes=6, per_class=12, spread=3.0):
    """Windows (n, 40, 6) of acc and gyr and their labels: each class has its own posture and its own axis of motion."""
    y = np.repeat(np.arange(n_classes), per_class)
    postures = rng.normal(size=(n_classes, 3))
    postures *= 9.81 / np.linalg.norm(postures, axis=1, keepdims=True)
    axes = rng.normal(size=(n_classes, 2, 3))
    time = rng.normal(size=(len(y), 40, 1))
    acc = postures[y][:, None] + spread * time * axes[y, 0][:, None] + 0.3 * rng.normal(size=(len(y), 40, 3))
    gyr = time * axes[y, 1][:, None] + 0.1 * rng.normal(size=(len(y), 40, 3))
    return np.concatenate([acc, gyr], axis=2), y


def mounted(virtual, rotation):
    """What a sensor with another mounting reads: every triad turned."""
    turned = virtual.reshape(*virtual.shape[:2], -1, 3) @ rotation.T
    return turned.reshape(virtual.shape)


def both(virtual, real, y_virtual, y_real):
    X, y = np.concatenate([real, virtual]), np.concatenate([y_real, y_virtual])
    return X, y, np.repeat([0, 1], [len(real), len(virtual)])


def known_case(rng=None, rotation=MOUNTING):
    """Real windows are virtual ones of other moments, by a sensor that is mounted otherwise."""
    rng = rng or np.random.default_rng(0)
    windows, y = made_windows(rng, per_class=24)
    virtual, real = windows[::2], mounted(windows[1::2], rotation)
    return both(virtual, real, y[::2], y[1::2])


def degrees(first, second):
    return np.degrees(angle_between(first, second))


@pytest.mark.parametrize("method", ["mean", "moments"])
def test_a_known_mounting_is_found(method):
    X, y, domain = known_case()
    aligner = SensorAligner(channels=ACC + GYR, method=method).fit(X, y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], MOUNTING) < 4
    row = aligner.report_.iloc[0]
    assert row.used and row.confidence == 1 and row.n_classes == 6
    assert row.angle_deg == pytest.approx(np.linalg.norm(row[["about_x_deg", "about_y_deg", "about_z_deg"]]))
    assert row.gain_acc == pytest.approx(1, abs=0.1) and row.gain_gyr == pytest.approx(1, abs=0.1)


def test_one_rotation_turns_every_triad_of_the_site_and_no_real_window():
    X, y, domain = known_case()
    aligner = SensorAligner(channels=ACC + GYR)
    turned = aligner.fit_transform(X, y, sample_domain=domain)
    np.testing.assert_array_equal(turned[domain == 0], X[domain == 0])
    expected = mounted(X[domain == 1], aligner.rotations_["left_wrist"])
    np.testing.assert_allclose(turned[domain == 1], expected, atol=1e-12)


def test_sites_are_turned_by_themselves():
    X, y, domain = known_case()
    other = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    ankle = X[:, :, :3].copy()
    ankle[domain == 0] = mounted(mounted(ankle[domain == 0], MOUNTING.T), other)
    names = [*ACC, *(f"right_ankle_acc_{axis}" for axis in "xyz")]
    aligner = SensorAligner(channels=names).fit(np.concatenate([X[:, :, :3], ankle], axis=2), y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], MOUNTING) < 4
    assert degrees(aligner.rotations_["right_ankle"], other) < 4


def test_channels_in_any_order_give_the_same_rotation():
    X, y, domain = known_case()
    order = [4, 2, 0, 5, 1, 3]
    names = [(ACC + GYR)[i] for i in order]
    straight = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    shuffled = SensorAligner(channels=names).fit(X[:, :, order], y, sample_domain=domain)
    np.testing.assert_allclose(straight.rotations_["left_wrist"], shuffled.rotations_["left_wrist"], atol=1e-6)


def test_covariances_find_the_turn_about_a_vertical_that_all_classes_share():
    """With the limb hanging in all classes, means leave the turn about gravity open; the motion decides it."""
    rng = np.random.default_rng(1)
    windows, y = made_windows(rng, per_class=40)
    # A hanging limb that is moved more to one side than to the other: |m| tells left from right.
    windows[:, :, :3] += np.array([9.81, 0, 0]) - windows[:, :, :3].mean(axis=1, keepdims=True)
    windows[:, :, 1:3] += 0.4 * rng.normal(size=(6, 1, 2))[y]
    quarter = Rotation.from_euler("x", 90, degrees=True).as_matrix()
    X, y, domain = both(windows[::2], mounted(windows[1::2], quarter), y[::2], y[1::2])
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], quarter) < 10


def test_without_gravity_the_directions_of_motion_decide():
    X, y, domain = known_case()
    X = X - X.mean(axis=1, keepdims=True)
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], MOUNTING) < 4


def test_the_objective_never_falls_short_of_the_true_rotation():
    rng = np.random.default_rng(2)
    for _ in range(20):
        rotation = Rotation.random(random_state=rng.integers(1000)).as_matrix()
        means, roots = rng.normal(size=(5, 3)), rng.normal(size=(2, 5, 3, 3))
        covariances = roots @ np.swapaxes(roots, -1, -2)
        second = Moments(means @ rotation.T, rotation @ covariances @ rotation.T)
        fit = fit_rotation(Moments(means, covariances), second, np.ones(5), n_resamples=5, rng=rng)
        assert degrees(fit.rotation, rotation) < 0.1


@pytest.mark.parametrize(
    "why",
    ["one class", "no shared class", "the same posture and no direction of motion", "one direction", "contradiction"],
)
def test_where_the_data_cannot_decide_the_site_keeps_its_frame_and_a_warning_says_so(why):
    X, y, domain = known_case()
    rng = np.random.default_rng(0)
    if why == "one class":
        X, domain, y = X[y == 0], domain[y == 0], y[y == 0]
    elif why == "no shared class":
        y = y + 100 * domain
    elif why == "the same posture and no direction of motion":
        X = rng.normal([0, 0, 9.81, 0, 0, 0], size=X.shape)
    elif why == "one direction":
        X = rng.normal([9.81, 0, 0, 0, 0, 0], [5, 1, 1, 2, 1, 1], X.shape)
    else:
        X[domain == 0] = made_windows(rng)[0][rng.permutation(72)]
        y = np.where(domain == 0, rng.permuted(y), y)
    with pytest.warns(DataWarning, match="left_wrist: its virtual windows keep their frame"):
        aligner = SensorAligner(channels=ACC + GYR, min_confidence=0.8).fit(X, y, sample_domain=domain)
    np.testing.assert_array_equal(aligner.transform(X, sample_domain=domain), X)
    assert not aligner.report_.used.any()


def test_every_subject_can_have_a_mounting_of_their_own():
    mountings = {"a": MOUNTING, "b": Rotation.from_euler("y", 25, degrees=True).as_matrix() @ MOUNTING}
    parts = [known_case(rotation=mountings[name]) for name in "ab"]
    X, y, domain = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    groups = np.repeat(["a", "b"], len(parts[0][0]))
    known_only_from_video = np.concatenate([groups, ["c"] * 6])
    X, y = np.concatenate([X, X[domain == 1][:6]]), np.concatenate([y, y[domain == 1][:6]])
    domain = np.concatenate([domain, np.ones(6, dtype=int)])
    aligner = SensorAligner(channels=ACC + GYR, per_subject=True)
    turned = aligner.fit_transform(X, y, sample_domain=domain, groups=known_only_from_video)
    for name, rotation in mountings.items():
        assert degrees(aligner.subject_rotations_["left_wrist", name], rotation) < 6
        rows = (known_only_from_video == name) & (domain == 1)
        np.testing.assert_allclose(
            turned[rows], mounted(X[rows], aligner.subject_rotations_["left_wrist", name]), atol=1e-12
        )
    np.testing.assert_allclose(turned[-6:], mounted(X[-6:], aligner.rotations_["left_wrist"]), atol=1e-12)
    assert aligner.report_.subject.tolist() == ["all", "a", "b"]


def test_rows_and_labels_that_the_rotation_depends_on_are_counted():
    X, y, domain = known_case()
    y = np.where((domain == 0) & (y == 5), 99, y)
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    assert aligner.real_rows_used_ == aligner.real_labels_used_ == np.sum((domain == 0) & (y < 5))


@pytest.mark.parametrize("missing", ["labels", "domain", "virtual windows"])
def test_without_labels_or_virtual_windows_nothing_is_turned(missing):
    X, y, domain = known_case()
    y = None if missing == "labels" else y
    domain = {"domain": None, "virtual windows": np.zeros_like(domain)}.get(missing, domain)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    np.testing.assert_array_equal(aligner.transform(X, sample_domain=np.ones(len(X))), X)
    assert aligner.real_rows_used_ == aligner.real_labels_used_ == 0


def test_windows_without_a_domain_are_real_and_stay():
    X, y, domain = known_case()
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    np.testing.assert_array_equal(aligner.transform(X), X)


def test_float32_stays_float32_and_the_input_is_left_alone():
    X, y, domain = known_case()
    X = X.astype(np.float32)
    before = X.copy()
    turned = SensorAligner(channels=ACC + GYR).fit_transform(X, y, sample_domain=domain)
    assert turned.dtype == np.float32
    np.testing.assert_array_equal(X, before)


def test_in_a_pipeline_training_windows_are_turned_too():
    X, y, domain = known_case()
    model = Pipeline(
        [
            ("align", SensorAligner(channels=ACC + GYR)),
            ("ecdf", ECDFFeatures()),
            ("clf", DomainSelector(RandomForestClassifier(20, random_state=0), train_on="virtual")),
        ]
    )
    with config_context(enable_metadata_routing=True):
        model.fit(X, y, sample_domain=domain)
        aligned = model.score(X[domain == 0], y[domain == 0])
        model.set_params(align="passthrough").fit(X, y, sample_domain=domain)
        as_it_is = model.score(X[domain == 0], y[domain == 0])
    assert aligned > 0.95 > 0.6 > as_it_is


def test_another_persons_real_windows_change_nothing():
    """A planted leak: what is held out, and its labels, must not reach the rotation."""
    X, y, domain = known_case()
    train = np.arange(len(X)) % 3 > 0
    fitted = SensorAligner(channels=ACC + GYR).fit(X[train], y[train], sample_domain=domain[train])
    changed = X.copy()
    held_out = ~train & (domain == 0)
    changed[held_out] = mounted(X[held_out], Rotation.from_euler("y", 30, degrees=True).as_matrix())
    again = SensorAligner(channels=ACC + GYR).fit(changed[train], y[train], sample_domain=domain[train])
    np.testing.assert_array_equal(fitted.rotations_["left_wrist"], again.rotations_["left_wrist"])
    leaking = SensorAligner(channels=ACC + GYR).fit(changed, y, sample_domain=domain)
    assert degrees(fitted.rotations_["left_wrist"], leaking.rotations_["left_wrist"]) > 1


def test_bad_input_is_refused():
    X, y, domain = known_case()
    with pytest.raises(DataFormatError, match="All 144 training windows are virtual"):
        SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=np.ones(len(X)))
    with pytest.raises(DataFormatError, match="needs groups, the subject of each of 144 windows"):
        SensorAligner(channels=ACC + GYR, per_subject=True).fit(X, y, sample_domain=domain)
    with pytest.raises(DataFormatError, match="channels must name each of the 6 channels once"):
        SensorAligner(channels=ACC).fit(X, y, sample_domain=domain)
    with pytest.raises(DataFormatError, match="sample_domain must hold a 0"):
        SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain[1:])
    with pytest.raises(ValueError, match="NaN"):
        SensorAligner(channels=ACC + GYR).fit(np.where(X > 9, np.nan, X), y, sample_domain=domain)
    fitted = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    with pytest.raises(DataFormatError, match="X has 3 channels, but SensorAligner expects 6"):
        fitted.transform(X[:, :, :3])
    with pytest.raises(DataFormatError, match="windows of 20 samples, but SensorAligner was fitted with windows of 40"):
        fitted.transform(X[:, :20])


def test_the_wrist_sensor_of_utd_mhad_sits_half_a_turn_about_the_forearm_on_everybody(test_data):
    recordings = load_utd_mhad(test_data / "utd_mhad", subjects=["1", "2"], cutoff_hz=2.5)
    windows = segment_recordings(recordings, window_length_s=1.0, overlap=0.0)
    aligner = SensorAligner(channels=windows.channels, per_subject=True)
    aligner.fit(windows.X, windows.y, sample_domain=windows.sample_domain, groups=windows.groups)
    half_a_turn = np.diag([1.0, -1.0, -1.0])
    assert len(aligner.subject_rotations_) == 2
    for rotation in (*aligner.rotations_.values(), *aligner.subject_rotations_.values()):
        assert degrees(rotation, half_a_turn) < 35
    assert (aligner.report_.confidence > 0.9).all() and aligner.report_.gain_acc.between(0.8, 1.4).all()
