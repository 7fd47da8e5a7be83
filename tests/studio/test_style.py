"""Style: repeatable, different between persons and takes, within what people do."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.studio.jets import time
from har_virtual.studio.style import Style

TIMES = time(np.linspace(0.0, 20.0, 400))


def test_one_seed_gives_one_style() -> None:
    one, other = Style(5, take=2), Style(5, take=2)
    assert (one.tempo, one.amplitude, one.asymmetry, one.phase) == (
        other.tempo,
        other.amplitude,
        other.asymmetry,
        other.phase,
    )
    np.testing.assert_array_equal(one.wobble("head", TIMES).value, other.wobble("head", TIMES).value)


def test_another_take_keeps_the_person_and_changes_the_rest() -> None:
    one, other = Style(5), Style(5, take=1)
    assert (one.tempo, one.amplitude, one.handedness) == (other.tempo, other.amplitude, other.handedness)
    assert one.between("elbow", 0.0, 1.0) == other.between("elbow", 0.0, 1.0)
    assert one.phase != other.phase
    assert np.abs(one.wobble("head", TIMES).value - other.wobble("head", TIMES).value).max() > 0.5


def test_a_sequence_of_integers_is_a_seed_of_its_own() -> None:
    assert Style((3, 1)).tempo == Style((3, 1)).tempo
    assert Style((3, 1)).tempo != Style(3).tempo
    # Numpy takes seeds that differ by zeros at the end for one.
    for name in ("tempo", "amplitude", "phase"):
        drawn = [getattr(Style(seed), name) for seed in (3, (3, 0), (3, 0, 0), (3, 0, 0, 0), (3, 0, 0, 0, 0))]
        assert len(set(drawn)) == len(drawn)


def test_persons_spread_around_the_average() -> None:
    styles = [Style(seed) for seed in range(200)]
    for factors in ([s.tempo for s in styles], [s.amplitude for s in styles]):
        assert 0.85 < min(factors) < 0.92
        assert 1.09 < max(factors) < 1.17
        assert np.exp(np.mean(np.log(factors))) == pytest.approx(1.0, abs=0.02)
    assert 0.04 < max(abs(s.asymmetry) for s in styles) < 0.08
    assert 0.04 < np.mean([s.handedness == "left" for s in styles]) < 0.17
    assert all(s.other_hand != s.handedness for s in styles)


def test_a_side_is_larger_as_the_other_is_smaller() -> None:
    style = Style(3)
    assert style.scale("left") + style.scale("right") == pytest.approx(2 * style.amplitude)
    assert style.scale("left") / style.amplitude == pytest.approx(1 + style.asymmetry)


def test_names_wobble_independently_about_zero_with_unit_size() -> None:
    long = time(np.linspace(0.0, 500.0, 20000))
    head, trunk = Style(1).wobble("head", long).value, Style(1).wobble("trunk", long).value
    assert np.sqrt(np.mean(head**2)) == pytest.approx(1.0, rel=0.05)
    assert abs(head.mean()) < 0.05
    assert abs(np.corrcoef(head, trunk)[0, 1]) < 0.4


def test_a_cycle_runs_at_the_frequency_times_the_tempo_and_drifts_a_little() -> None:
    style = Style(2)
    rate = style.cycle(time(np.linspace(0.0, 200.0, 5000)), 0.9).rate / (2 * np.pi * 0.9 * style.tempo)
    assert rate.mean() == pytest.approx(1.0, abs=0.002)
    assert 0.003 < rate.std() < 0.03


@pytest.mark.parametrize(("seed", "take"), [(-1, 0), (1.5, 0), ((), 0), ("three", 0), (None, 0), (1, -1), (1, 0.5)])
def test_a_seed_that_is_none_is_refused(seed: object, take: object) -> None:
    with pytest.raises(DataFormatError, match="seed must be one or several integers"):
        Style(seed, take=take)
