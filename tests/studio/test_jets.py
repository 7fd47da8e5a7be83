"""Jets against closed forms, and against differences where formulas are composed."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_body import differentiate

from har_virtual.studio.jets import Jet, arctan, as_jet, cos, exp, log, sin, sqrt, stack, tanh, time

TIMES = np.linspace(0.3, 2.1, 19)


def parts(jet: Jet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return jet.value, jet.rate, jet.acceleration


def check(jet: Jet, value, rate, acceleration) -> None:
    for name, part, expected in zip(
        ("value", "rate", "acceleration"), parts(jet), (value, rate, acceleration), strict=True
    ):
        np.testing.assert_allclose(part, np.broadcast_to(expected, part.shape), rtol=1e-13, atol=1e-13, err_msg=name)


def test_time_runs_evenly():
    check(time(TIMES), TIMES, 1.0, 0.0)


t = TIMES
# Of g(t) = 2 + t^2 / 2, which is positive, with g' = t and g'' = 1.
G = 2 + t**2 / 2
CLOSED_FORMS = {
    "sin": (sin, np.sin(G), np.cos(G) * t, np.cos(G) - np.sin(G) * t**2),
    "cos": (cos, np.cos(G), -np.sin(G) * t, -np.sin(G) - np.cos(G) * t**2),
    "exp": (exp, np.exp(G), np.exp(G) * t, np.exp(G) * (1 + t**2)),
    "log": (log, np.log(G), t / G, (G - t**2) / G**2),
    "sqrt": (sqrt, G**0.5, t / (2 * G**0.5), 1 / (2 * G**0.5) - t**2 / (4 * G**1.5)),
    "arctan": (arctan, np.arctan(G), t / (1 + G**2), 1 / (1 + G**2) - 2 * G * t**2 / (1 + G**2) ** 2),
    "tanh": (
        tanh,
        np.tanh(G),
        t / np.cosh(G) ** 2,
        1 / np.cosh(G) ** 2 - 2 * t**2 * np.tanh(G) / np.cosh(G) ** 2,
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_function_has_the_derivatives_of_its_closed_form(name):
    function, *expected = CLOSED_FORMS[name]
    check(function(2 + 0.5 * time(TIMES) * time(TIMES)), *expected)


OPERATORS = {
    "jet + jet": (lambda x, y: x + y, t**3 + t**2, 3 * t**2 + 2 * t, 6 * t + 2),
    "jet + number": (lambda x, y: x + 2, t**3 + 2, 3 * t**2, 6 * t),
    "number + jet": (lambda x, y: 2 + x, t**3 + 2, 3 * t**2, 6 * t),
    "array + jet": (lambda x, y: np.arange(19.0) + x, np.arange(19) + t**3, 3 * t**2, 6 * t),
    "jet - jet": (lambda x, y: x - y, t**3 - t**2, 3 * t**2 - 2 * t, 6 * t - 2),
    "jet - number": (lambda x, y: x - 2, t**3 - 2, 3 * t**2, 6 * t),
    "number - jet": (lambda x, y: 2 - x, 2 - t**3, -3 * t**2, -6 * t),
    "array - jet": (lambda x, y: np.arange(19.0) - x, np.arange(19) - t**3, -3 * t**2, -6 * t),
    "-jet": (lambda x, y: -x, -(t**3), -3 * t**2, -6 * t),
    "jet * jet": (lambda x, y: x * y, t**5, 5 * t**4, 20 * t**3),
    "jet * number": (lambda x, y: x * 3, 3 * t**3, 9 * t**2, 18 * t),
    "number * jet": (lambda x, y: 3 * x, 3 * t**3, 9 * t**2, 18 * t),
    "array * jet": (lambda x, y: t * x, t * t**3, t * 3 * t**2, t * 6 * t),
    "jet / jet": (lambda x, y: y / x, 1 / t, -1 / t**2, 2 / t**3),
    "jet / number": (lambda x, y: x / 4, t**3 / 4, 0.75 * t**2, 1.5 * t),
    "number / jet": (lambda x, y: 6 / x, 6 / t**3, -18 / t**4, 72 / t**5),
    "array / jet": (lambda x, y: t / y, t / t**2, -2 * t / t**3, 6 * t / t**4),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_follows_the_rules_of_calculus(name):
    operator, *expected = OPERATORS[name]
    s = time(TIMES)
    check(operator(s * s * s, s * s), *expected)


def test_turns_about_one_axis_multiply_to_the_turn_by_the_sum():
    def turn(angle: Jet) -> Jet:
        return stack([stack([cos(angle), -sin(angle)]), stack([sin(angle), cos(angle)])], axis=-2)

    s = time(TIMES)
    product = turn(s * s) @ turn(0.5 * s)
    for part, expected in zip(parts(product), parts(turn(s * s + 0.5 * s)), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-13)


def test_a_matrix_of_numbers_may_multiply_from_the_right():
    column = stack([time(TIMES), sin(time(TIMES))])[:, None, :] @ np.array([[2.0], [3.0]])
    check(column[:, 0, 0], 2 * t + 3 * np.sin(t), 2 + 3 * np.cos(t), -3 * np.sin(t))


def test_indexing_takes_the_same_part_of_value_and_derivatives():
    s = time(TIMES)
    pair = stack([s * s, sin(s)])
    check(pair[:, 1], np.sin(t), np.cos(t), -np.sin(t))
    check(pair[3:5, 0], t[3:5] ** 2, 2 * t[3:5], 2.0)
    check(s[:, None, None], t[:, None, None], 1.0, 0.0)


def test_stack_joins_along_the_axis_asked_for_and_lets_numbers_stand_still():
    s = time(TIMES)
    last, first = stack([s, 1.5, 2 * s]), stack([s, 1.5, 2 * s], axis=0)
    assert last.value.shape == (19, 3)
    assert first.value.shape == (3, 19)
    check(last[:, 1], 1.5, 0.0, 0.0)
    check(last[:, 2], 2 * t, 2.0, 0.0)
    check(first[2], 2 * t, 2.0, 0.0)


def test_what_is_no_jet_does_not_move():
    check(as_jet(np.arange(3)), np.arange(3), 0.0, 0.0)
    moving = time(TIMES)
    assert as_jet(moving) is moving


def test_derivatives_are_float64_of_the_shape_of_the_value():
    jet = Jet(np.arange(6, dtype=np.int32).reshape(2, 3), 1, 0)
    assert [part.dtype for part in parts(jet)] == [np.float64] * 3
    assert [part.shape for part in parts(jet)] == [(2, 3)] * 3


def test_a_jet_shows_its_shape():
    assert repr(stack([time(TIMES), 0.0])) == "Jet(shape=(19, 2))"


def test_a_long_formula_has_the_derivatives_that_differences_give():
    def formula(s: Jet) -> Jet:
        wave = sin(2 * s + 0.3 * cos(5 * s)) / (1.5 + cos(s) * exp(-0.2 * s))
        return wave - tanh(3 * wave) * sqrt(2 + sin(s)) + log(2 - sin(3 * s) * wave * 0.5)

    reference = differentiate(lambda times: formula(time(times)).value, TIMES, step_s=2e-3)
    jet = formula(time(TIMES))
    np.testing.assert_allclose(jet.rate, reference.rate, atol=1e-9)
    np.testing.assert_allclose(jet.acceleration, reference.acceleration, atol=1e-7)


@pytest.mark.parametrize("operate", [Jet.__add__, Jet.__sub__, Jet.__mul__, Jet.__truediv__, Jet.__matmul__])
def test_shapes_that_do_not_fit_are_an_error(operate):
    with pytest.raises(ValueError, match=r"broadcast|mismatch"):
        operate(Jet(np.ones((2, 3))), Jet(np.ones((4, 5))))


def test_stacking_shapes_that_do_not_fit_is_an_error():
    with pytest.raises(ValueError, match="shape mismatch"):
        stack([Jet(np.ones(3)), Jet(np.ones(4))])


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "log", "sqrt", "tanh", "arctan"])
def test_numpy_s_functions_of_a_jet_are_those_of_jets(name):
    x = 2 + 0.5 * time(TIMES) * time(TIMES)
    check(getattr(np, name)(x), *parts(CLOSED_FORMS[name][0](x)))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 2.5])
def test_a_power_has_the_derivatives_of_its_closed_form(exponent):
    n, x = exponent, TIMES
    check(time(TIMES) ** n, x**n, n * x ** (n - 1.0), n * (n - 1) * x ** (n - 2.0))


def test_low_powers_are_finite_at_zero():
    assert all(np.isfinite(part).all() for n in (0, 1, 2) for part in parts(time([0.0]) ** n))


@pytest.mark.parametrize("function", [np.abs, np.floor, np.sign, np.heaviside])
def test_what_is_not_smooth_is_an_error_that_names_what_is(function):
    with pytest.raises(TypeError, match=r"must be smooth, written in .* sin, cos, exp"):
        function(*[time(TIMES)] * function.nin)


@pytest.mark.parametrize(("function", "number"), [(log, -1.0), (sqrt, -1.0), (log, 0.0)])
def test_a_number_outside_the_domain_warns(function, number):
    with pytest.warns(RuntimeWarning):
        function(Jet([number], 1.0))
