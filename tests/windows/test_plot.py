"""A window of each class as a picture."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual import Recording, segment_recordings
from har_virtual.exceptions import DataFormatError
from har_virtual.windows import plot_window_of_each_class

CHANNELS = [f"{site}_acc_{axis}" for site in ("waist", "head") for axis in "xyz"]


def windows(labels=("walk", "sit", "run")):
    """Of each class three windows of one second that swing by 9, 1 and 2 in x of the waist; all else is 0."""
    wave = np.concatenate([swing * np.sin(2 * np.pi * np.arange(20) / 20) for swing in (9, 1, 2)])
    data = np.stack([wave, *[np.zeros(60)] * 5], axis=1)
    return segment_recordings([Recording(data, 20, CHANNELS, subject="1", labels=name) for name in labels], 1.0, 0.0)


def test_every_class_has_a_panel_with_its_typical_window():
    figure = plot_window_of_each_class(windows())
    assert [panel.get_title() for panel in figure.axes] == ["run (3)", "sit (3)", "walk (3)"]
    for panel in figure.axes:
        x, y, z = (line.get_ydata() for line in panel.lines)
        assert np.max(x) == pytest.approx(2.0, rel=0.01)
        assert not np.any(y)
        assert not np.any(z)
        assert panel.lines[0].get_xdata()[-1] == pytest.approx(0.95)
    assert figure.get_supylabel() == "waist acc in m/s2"


def test_x_is_red_y_green_and_z_blue():
    data = np.tile([1.0, 2.0, 3.0], (20, 1))
    still = Recording(data, 20, CHANNELS[:3], subject="1", labels="sit")
    (panel,) = plot_window_of_each_class(segment_recordings([still], 1.0, 0.0)).axes
    assert {line.get_ydata()[0]: line.get_color() for line in panel.lines} == {
        1.0: "tab:red",
        2.0: "tab:green",
        3.0: "tab:blue",
    }


def test_another_site_and_an_own_figure_can_be_drawn_on():
    from matplotlib.figure import Figure

    given = Figure()
    figure = plot_window_of_each_class(windows(), site="head", n_columns=2, figure=given)
    assert figure is given
    assert not np.any(figure.axes[0].lines[0].get_ydata())
    assert [panel.axison for panel in figure.axes] == [True, True, True, False]


@pytest.mark.parametrize("asked", [{"site": "chest"}, {"quantity": "gyr"}])
def test_a_vector_that_is_not_there_is_named(asked):
    with pytest.raises(DataFormatError, match=r"The windows have no vector (acc of chest|gyr of None); their channels"):
        plot_window_of_each_class(windows(), **asked)


def test_windows_without_labels_are_refused():
    with pytest.raises(DataFormatError, match="windows with labels"):
        plot_window_of_each_class(windows(labels=[None]))
