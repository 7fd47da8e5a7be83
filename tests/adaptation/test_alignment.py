"""Rotations that are known come back; where data cannot decide, nothing is turned."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import DomainSelector, SensorAligner
from har_virtual.adaptation._rotation_fit import Moments, _derivatives, _polish, _values, angle_between, fit_rotation
from har_virtual.datasets import load_utd_mhad
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.features import ECDFFeatures, NormChannels
from har_virtual.windows import segment_recordings

ACC = [f"left_wrist_acc_{axis}" for axis in "xyz"]
GYR = [f"left_wrist_gyr_{axis}" for axis in "xyz"]
# Windows of each class, real and virtual.
UNEQUAL = [(12, 2), (2, 12), (12, 12), (3, 12), (12, 6), (1, 3)]
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


def test_the_other_direction_turns_real_windows_into_the_segment_s_frame():
    X, y, domain = known_case()
    aligner = SensorAligner(channels=ACC + GYR, direction="real_to_virtual")
    turned = aligner.fit_transform(X, y, sample_domain=domain)
    np.testing.assert_array_equal(turned[domain == 1], X[domain == 1])
    expected = mounted(X[domain == 0], aligner.rotations_["left_wrist"].T)
    np.testing.assert_allclose(turned[domain == 0], expected, atol=1e-12)
    np.testing.assert_allclose(aligner.transform(X[domain == 0]), expected, atol=1e-12)


def test_norms_across_the_segment_agree_after_real_windows_are_turned_into_its_frame():
    sideways = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    X, y, domain = known_case(rotation=sideways)
    turned = SensorAligner(channels=ACC + GYR, direction="real_to_virtual").fit_transform(X, y, sample_domain=domain)
    mean = [NormChannels(channels=ACC + GYR).fit_transform(turned)[domain == each, :, 7].mean() for each in (0, 1)]
    assert mean[0] == pytest.approx(mean[1], rel=0.05)


def test_labels_that_differ_between_the_domains_are_named():
    X, y, domain = known_case()
    y = np.where(domain == 1, "WALK", "walk")
    with pytest.warns(DataWarning, match=r"share 0 of the labels.*\['walk'\] \.\.\., the virtual ones' \['WALK'\]"):
        SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)


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


def hanging_case(rng):
    """All classes hold the limb alike, to 0.02 m/s^2, and move in ways of their own; a quarter turn about gravity."""
    windows, y = made_windows(rng, per_class=40)
    windows[:, :, :3] += np.array([9.81, 0, 0]) - windows[:, :, :3].mean(axis=1, keepdims=True)
    quarter = Rotation.from_euler("x", 90, degrees=True).as_matrix()
    X, y, domain = both(windows[::2], mounted(windows[1::2], quarter), y[::2], y[1::2])
    X[:, :, :3] += 0.02 * rng.normal(size=(2, 6, 1, 3))[domain, y]
    return X, y, domain, quarter


def test_covariances_find_the_turn_about_a_vertical_that_all_classes_share():
    X, y, domain, quarter = hanging_case(np.random.default_rng(1))
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], quarter) < 2
    with pytest.warns(DataWarning, match="left_wrist keeps its frame"):
        by_means = SensorAligner(channels=ACC + GYR, method="mean").fit(X, y, sample_domain=domain)
    assert by_means.report_.confidence[0] == 0


def test_the_means_of_limbs_held_alike_do_not_drown_the_covariances():
    for wobble in (0.0, 0.05, 0.2):
        X, y, domain, quarter = hanging_case(np.random.default_rng(1))
        offsets = wobble * np.random.default_rng(4).normal(size=(6, 1, 3))[y]
        X[:, :, :3] += np.where(domain[:, None, None] == 0, mounted(offsets, quarter), offsets)
        fitted = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
        assert fitted.report_.confidence[0] > 0.9


def test_without_gravity_the_directions_of_motion_decide():
    X, y, domain = known_case()
    X = X - X.mean(axis=1, keepdims=True)
    aligner = SensorAligner(channels=ACC + GYR).fit(X, y, sample_domain=domain)
    assert degrees(aligner.rotations_["left_wrist"], MOUNTING) < 4


def test_the_objective_never_falls_short_of_the_true_rotation():
    rng = np.random.default_rng(2)
    for number in range(20):
        rotation = Rotation.random(random_state=rng.integers(1000)).as_matrix()
        means, roots = rng.normal(size=(5, 3)), rng.normal(size=(2, 5, 3, 3))
        # Every other time the covariances alone decide, and no start is the solution.
        means *= number % 2
        covariances = roots @ np.swapaxes(roots, -1, -2)
        second = Moments(means @ rotation.T, rotation @ covariances @ rotation.T)
        fit = fit_rotation(Moments(means, covariances), second, np.ones(5), n_resamples=5, rng=rng)
        assert degrees(fit.rotation, rotation) < 1e-4


def documented_loss(vector, X, y, domain):
    """What _rotation_fit documents, spelt out for the windows of one site of acc and gyr."""
    rotation, loss = Rotation.from_rotvec(vector).as_matrix(), 0.0
    classes = np.unique(y)
    real_means = np.array([X[(y == c) & (domain == 0), :, :3].reshape(-1, 3).mean(axis=0) for c in classes])
    spread = np.std(real_means - real_means.mean(axis=0))
    for label, real_mean in zip(classes, real_means, strict=True):
        virtual, real = (X[(y == label) & (domain == each)] for each in (1, 0))
        turned = mounted(virtual, rotation)
        term = np.sum((real_mean - turned[:, :, :3].mean(axis=(0, 1))) ** 2) / spread**2
        for triad in (slice(0, 3), slice(3, 6)):
            one, other = (np.cov(each[:, :, triad].reshape(-1, 3).T) for each in (turned, real))
            term += 0.8 * np.sum((other / np.trace(other) - one / np.trace(one)) ** 2)
        loss += np.sqrt(min(len(virtual), len(real))) * term
    return loss


def test_the_fitted_rotation_is_the_best_of_a_brute_force_search():
    rng = np.random.default_rng(5)
    X, y, domain = known_case(rng)
    real = domain == 0
    # Each class of the sensor's is off by a turn of its own, twice as lively, and unequally often there.
    for label in range(6):
        turn = Rotation.from_rotvec(0.9 * rng.normal(size=3)).as_matrix()
        X[real & (y == label)] = mounted(X[real & (y == label)], turn)
    centre = X[real].mean(axis=1, keepdims=True)
    X[real] = centre + 2 * (X[real] - centre)
    kept = np.concatenate(
        [np.flatnonzero((y == c) & (domain == d))[: n[d]] for c, n in enumerate(UNEQUAL) for d in (0, 1)]
    )
    X, y, domain = X[kept], y[kept], domain[kept]
    grid = Rotation.random(400, random_state=0).as_rotvec()
    best = sorted(grid, key=lambda vector: documented_loss(vector, X, y, domain))[:3]
    found = min((minimize(documented_loss, start, (X, y, domain)) for start in best), key=lambda result: result.fun)
    aligner = SensorAligner(channels=ACC + GYR, min_confidence=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        report = aligner.fit(X, y, sample_domain=domain).report_.iloc[0]
    fitted = np.radians(report[["about_x_deg", "about_y_deg", "about_z_deg"]].to_numpy(float))
    assert degrees(*Rotation.from_rotvec([fitted, found.x]).as_matrix()) < 0.1


def test_gradient_and_curvature_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    linear, quadratic = rng.normal(size=(3, 3)), rng.normal(size=(9, 9))
    quadratic += quadratic.T
    rotation, h = Rotation.random(random_state=1).as_matrix(), 1e-4

    def value(vector):
        return _values(Rotation.from_rotvec(vector).as_matrix() @ rotation, linear, quadratic)

    gradient, curvature = _derivatives(rotation, linear, quadratic)
    steps = h * np.eye(3)
    slopes = [(value(step) - value(-step)) / (2 * h) for step in steps]
    bends = [[(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * h * h) for a in steps] for b in steps]
    np.testing.assert_allclose(gradient, slopes, atol=1e-5)
    np.testing.assert_allclose(-curvature, bends, atol=1e-4)


def test_polishing_ends_where_the_gradient_is_nil_and_the_value_is_higher():
    rng = np.random.default_rng(0)
    linear, roots = rng.normal(size=(3, 3)), rng.normal(size=(9, 9))
    quadratic = 0.1 * roots @ roots.T
    starts = Rotation.random(24, random_state=1).as_matrix()
    polished = _polish(_polish(starts, linear, quadratic), linear, quadratic)
    assert (_values(polished, linear, quadratic) >= _values(starts, linear, quadratic)).mean() > 0.9
    gradients, _ = _derivatives(polished, linear, quadratic)
    assert np.abs(gradients[np.argmax(_values(polished, linear, quadratic))]).max() < 1e-9


def diagonal_moments(rng, noise):
    """All classes move about the limb's own axes: half turns about these are as good, but for the noise."""
    covariances = np.exp(0.8 * rng.normal(size=(1, 6, 3)))[..., None] * np.eye(3)
    wobble = noise * rng.normal(size=(2, 1, 6, 3, 3))
    return (Moments(np.zeros((6, 3)), covariances + each + each.swapaxes(-1, -2)) for each in wobble)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.03])
def test_half_turns_that_only_noise_tells_apart_leave_no_confidence(noise):
    confidences = []
    for seed in range(20):
        first, second = diagonal_moments(np.random.default_rng(seed), noise)
        rng = np.random.default_rng(0)
        confidences.append(fit_rotation(first, second, np.ones(6), n_resamples=20, rng=rng).confidence)
    assert np.count_nonzero(confidences) <= 2


def test_a_turn_that_only_noise_of_the_means_tells_leaves_no_confidence():
    """One optimum, nearly flat about gravity, so no other rivals it."""
    confidences = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first, second = (
            Moments(np.array([9.81, 0, 0]) + 0.02 * rng.normal(size=(6, 3)), np.zeros((0, 6, 3, 3))) for _ in range(2)
        )
        confidences.append(fit_rotation(first, second, np.ones(6), n_resamples=20, rng=rng).confidence)
    assert np.count_nonzero(confidences) <= 2


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
    with pytest.warns(DataWarning, match="left_wrist keeps its frame"):
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


def two_numbered_subjects():
    other = Rotation.from_euler("y", 25, degrees=True).as_matrix() @ MOUNTING
    parts = [known_case(), known_case(rotation=other)]
    X, y, domain = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return X, y, domain, np.repeat([7, 12], len(parts[0][0]))


def test_subjects_may_be_numbers():
    X, y, domain, groups = two_numbered_subjects()
    aligner = SensorAligner(channels=ACC + GYR, per_subject=True).fit(X, y, sample_domain=domain, groups=groups)
    assert set(aligner.subject_rotations_) == {("left_wrist", 7), ("left_wrist", 12)}
    turned = aligner.transform(X, sample_domain=domain, groups=groups)
    rows = (groups == 12) & (domain == 1)
    np.testing.assert_allclose(turned[rows], mounted(X[rows], aligner.subject_rotations_["left_wrist", 12]), atol=1e-9)


def test_virtual_windows_of_nobody_are_refused_where_subjects_have_rotations_of_their_own():
    X, y, domain, groups = two_numbered_subjects()
    aligner = SensorAligner(channels=ACC + GYR, per_subject=True).fit(X, y, sample_domain=domain, groups=groups)
    with pytest.raises(DataFormatError, match="needs groups"):
        aligner.transform(X, sample_domain=domain)
    np.testing.assert_array_equal(aligner.transform(X[domain == 0]), X[domain == 0])


def test_a_new_persons_real_windows_take_the_common_rotation_without_groups():
    X, y, domain, groups = two_numbered_subjects()
    aligner = SensorAligner(channels=ACC + GYR, per_subject=True, direction="real_to_virtual")
    aligner.fit(X, y, sample_domain=domain, groups=groups)
    expected = mounted(X, aligner.rotations_["left_wrist"].T)
    np.testing.assert_allclose(aligner.transform(X), expected, atol=1e-12)


def test_labels_of_mixed_types_are_labels():
    X, y, domain = known_case()
    mixed = np.array([0, "one", 2.5, "three", 4, "five"], dtype=object)[y]
    plain, other = (SensorAligner(channels=ACC + GYR).fit(X, labels, sample_domain=domain) for labels in (y, mixed))
    assert degrees(plain.rotations_["left_wrist"], other.rotations_["left_wrist"]) < 1e-3


@pytest.mark.parametrize("way", ["fit", "fit_transform", "a pipeline"])
def test_the_warning_points_at_the_callers_line(way):
    X, y, domain = known_case()
    aligner = SensorAligner(channels=ACC + GYR)
    labels = y + 100 * domain
    fit = {
        "a pipeline": Pipeline([("align", aligner), ("ecdf", ECDFFeatures())]).fit,
        "fit": aligner.fit,
        "fit_transform": aligner.fit_transform,
    }[way]
    with config_context(enable_metadata_routing=True), pytest.warns(DataWarning, match="keeps its frame") as caught:
        fit(X, labels, sample_domain=domain)
    assert {warning.filename for warning in caught} == {__file__}


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
    for missing in (None, np.nan):
        with pytest.raises(DataFormatError, match="24 labels are missing"):
            SensorAligner(channels=ACC + GYR).fit(X, np.where(y == 0, missing, y), sample_domain=domain)
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
