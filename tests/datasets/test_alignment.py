from __future__ import annotations

import numpy as np
import pytest

from har_virtual import Recording
from har_virtual.datasets import estimate_lag
from har_virtual.exceptions import DataFormatError
from har_virtual.signal import lowpass

RATE_HZ = 50
TIMES = np.arange(200) / RATE_HZ


def swing(times: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * (0.5 * times + 0.15 * times**2))


def watch(times: np.ndarray = TIMES, *, acc=None, gyr=swing, site: str = "right_wrist", **fields) -> Recording:
    """A stream whose acceleration and turning have one axis each, as functions of time; None leaves them out."""
    vectors = {name: f for name, f in (("acc", acc), ("gyr", gyr)) if f is not None}
    columns = [column for f in vectors.values() for column in (f(times), 0 * times, 0 * times)]
    channels = [f"{site}_{name}_{axis}" for name in vectors for axis in "xyz"]
    return Recording(np.stack(columns, axis=1), RATE_HZ, channels, **fields)


@pytest.mark.parametrize("lag_s", [-0.3, -0.02, 0.0, 0.12, 0.5])
def test_a_known_lag_is_found(lag_s):
    found = estimate_lag(watch(TIMES), watch(TIMES + lag_s), spread_s=1.0)
    assert found.lag_s == pytest.approx(lag_s)
    assert found.correlation == pytest.approx(1.0, abs=0.01)
    assert found.trusted


def test_the_lag_moves_the_virtual_stream_onto_the_real_one():
    real, virtual = watch(TIMES), watch(TIMES + 0.2)
    moved = virtual.replace(start_s=estimate_lag(real, virtual).lag_s)
    np.testing.assert_allclose(moved.data[:-20, 0], np.interp(moved.times_s, TIMES, real.data[:, 0])[:-20], atol=1e-6)


def test_clocks_that_differ_already_are_respected():
    real, virtual = watch(TIMES, start_s=5.0), watch(TIMES[30:150], start_s=5.5)
    assert estimate_lag(real, virtual).lag_s == pytest.approx(0.1)
    assert estimate_lag(real, virtual, max_lag_s=0.0, min_correlation=-1).lag_s == 0.0


def test_lags_put_both_streams_on_one_grid_where_their_clocks_do_not():
    lag_s = estimate_lag(watch(TIMES), watch(TIMES, start_s=0.013), min_correlation=-1).lag_s
    assert (0.013 + lag_s) * RATE_HZ == pytest.approx(round((0.013 + lag_s) * RATE_HZ), abs=1e-6)


def test_a_turned_device_has_the_same_lag():
    turned = watch(TIMES + 0.2)
    turned = turned.replace(data=turned.data[:, [2, 0, 1]] * [1, -1, 1])
    assert estimate_lag(watch(TIMES), turned).lag_s == pytest.approx(0.2)


def test_constant_streams_are_not_trusted_and_keep_the_expected_lag():
    still = watch(acc=lambda t: 9.81 + 0 * t, gyr=None)
    assert estimate_lag(still, still, expected_s=-0.04) == (-0.04, 0.0, False)


def test_noise_is_not_trusted():
    rng = np.random.default_rng(0)
    noise = [watch(gyr=lambda t: rng.normal(size=len(t))) for _ in range(2)]
    found = estimate_lag(*noise, expected_s=0.1, max_lag_s=0.06)
    assert not found.trusted
    assert found.correlation < 0.5
    assert found.lag_s == pytest.approx(0.06), "the expected lag, as far as max_lag_s allows"


def test_the_prior_decides_between_repetitions():
    rng = np.random.default_rng(0)

    def steps(times: np.ndarray) -> np.ndarray:
        return 2 + np.cos(4 * np.pi * times) + rng.normal(scale=0.3, size=len(times))

    for expected_s in (-0.5, 0.0, 0.5):
        found = estimate_lag(watch(gyr=steps), watch(gyr=steps), expected_s=expected_s, max_lag_s=0.7)
        assert found.lag_s == pytest.approx(expected_s, abs=0.04)
        assert found.trusted


def slow_objective(real, virtual, shifts, *, bandwidth_hz, spread_s, prior_weight=1.0) -> list[float]:
    """Logarithm of the posterior at each shift, from pairs of samples and np.corrcoef."""
    x, y = (lowpass(np.linalg.norm(stream.data, axis=1), RATE_HZ, bandwidth_hz) for stream in (real, virtual))
    values = []
    for shift in shifts:
        pairs = np.array([(x[i + shift], y[i]) for i in range(len(y)) if 0 <= i + shift < len(x)])
        r = max(np.corrcoef(pairs.T)[0, 1], 0.0)
        n_independent = 2 * bandwidth_hz * len(pairs) / RATE_HZ
        prior = -((shift / RATE_HZ) ** 2) / (2 * spread_s**2)
        values.append(-n_independent / 2 * np.log(1 - r**2) + prior_weight * prior)
    return values


def test_likelihood_and_prior_weigh_what_the_equation_says():
    rng = np.random.default_rng(1)
    real, virtual = (
        watch(gyr=lambda _, t=t: 3 + swing(t) + rng.normal(scale=0.6, size=200)) for t in (TIMES, TIMES + 0.3)
    )
    parameters = {"bandwidth_hz": 1.0, "spread_s": 0.07}
    shifts = np.arange(-25, 26)

    def best_s(**more: float) -> float:
        return shifts[np.argmax(slow_objective(real, virtual, shifts, **parameters, **more))] / RATE_HZ

    assert estimate_lag(real, virtual, **parameters, min_correlation=-1).lag_s == pytest.approx(best_s())
    assert best_s(prior_weight=2) < best_s() < best_s(prior_weight=0.5), "neither alone decides"


@pytest.mark.parametrize("shift", [-40, -1, 0, 17])
def test_the_correlation_is_that_of_the_samples_that_overlap(shift):
    rng = np.random.default_rng(2)
    streams = [watch(gyr=lambda t: 5 + rng.normal(size=len(t))) for _ in range(2)]
    x, y = (lowpass(np.linalg.norm(stream.data, axis=1), RATE_HZ, 3.0) for stream in streams)
    x, y = (x[shift:], y[: len(y) - shift]) if shift >= 0 else (x[:shift], y[-shift:])
    at = {"start_s": shift / RATE_HZ}
    found = estimate_lag(streams[0], streams[1].replace(**at), max_lag_s=0.0)
    assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)


def test_opposite_signals_do_not_count_as_alike():
    def up(times: np.ndarray) -> np.ndarray:
        return 2 + swing(times)

    def down(times: np.ndarray) -> np.ndarray:
        return 2 - swing(times)

    assert estimate_lag(watch(gyr=up), watch(gyr=down), max_lag_s=0.0) == pytest.approx((0.0, -1.0, False))


def test_a_strong_opposite_does_not_beat_a_weaker_likeness():
    rng = np.random.default_rng(0)
    waves = [2 + sign * np.cos(4 * np.pi * TIMES) + rng.normal(scale=0.2, size=len(TIMES)) for sign in (1, -1)]
    real, virtual = (watch(gyr=lambda _, wave=wave: wave) for wave in waves)
    # A quarter of a second makes the two alike, more than may be used.
    found = estimate_lag(real, virtual, max_lag_s=0.2, spread_s=1.0)
    assert abs(found.lag_s) == pytest.approx(0.2)
    assert found.correlation > 0.5


def test_only_vectors_that_both_have_and_that_are_asked_for_are_compared():
    real = watch(acc=lambda t: np.cos(3 * t), gyr=swing)
    virtual = watch(TIMES + 0.2, acc=lambda t: np.cos(3 * (t - 0.1)), gyr=swing)
    assert estimate_lag(real, virtual, quantities=["gyr"], spread_s=1.0).lag_s == pytest.approx(0.2)
    assert estimate_lag(real, virtual, quantities=["acc"], spread_s=1.0).lag_s == pytest.approx(0.1)
    gyr_only = virtual.select([c for c in virtual.channels if "gyr" in c])
    assert estimate_lag(real, gyr_only, spread_s=1.0).lag_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("virtual", "parameters", "message"),
    [
        (watch().replace(sampling_rate_hz=30), {}, "one sampling rate"),
        (watch(site="left_wrist"), {}, "of one site in common"),
        (watch(), {"quantities": ["mag"]}, "no mag of one site"),
        (watch(gyr=lambda t: np.where(t < 1, np.nan, t)), {}, "has holes"),
        (watch(start_s=3.0), {}, "do not overlap by half"),
        (watch(TIMES[:0]), {}, "do not overlap by half"),
        (watch(), {"max_lag_s": -0.1}, "max_lag_s must be 0 or above"),
        (watch(), {"expected_s": np.nan}, "expected_s finite"),
        (watch(), {"spread_s": 0.0}, "spread_s must be"),
        (watch(), {"bandwidth_hz": -1}, "bandwidth_hz must be"),
    ],
)
def test_what_cannot_be_compared_is_refused(virtual, parameters, message):
    with pytest.raises(DataFormatError, match=message):
        estimate_lag(watch(), virtual, **parameters)
