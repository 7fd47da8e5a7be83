"""Real against virtual traces: the lines are compared with the recordings, not with pixels."""

from __future__ import annotations

import numpy as np
import pytest
from display_tables import legend_of
from matplotlib.figure import Figure

from har_virtual import Recording
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation.displays import TraceDisplay
from har_virtual.exceptions import DataFormatError, UnknownNameError

WRIST = [f"left_wrist_acc_{axis}" for axis in "xyz"]
ANKLE = [f"left_ankle_acc_{axis}" for axis in "xyz"]


def recordings(channels=WRIST, start_s=100.0):
    """Two seconds: the real sensor reads its sample number, the virtual one twice its own, half a second late."""
    real = np.repeat(np.arange(100.0)[:, None], len(channels), axis=1)
    virtual = np.repeat(2 * np.arange(60.0)[:, None], len(channels), axis=1)
    return (
        Recording(real, 50, channels, start_s=start_s),
        Recording(virtual, 30, channels, start_s=start_s + 0.5, domain="virtual"),
    )


def test_traces_are_the_samples_of_both_in_the_part_asked_for():
    real, virtual = recordings()
    display = TraceDisplay.from_recordings(real, virtual, WRIST[:2], start_s=101.0, stop_s=101.5)
    first, second = display.lines_["left_wrist_acc_x"]
    assert first.get_xdata() == pytest.approx(101 + np.arange(25) / 50)
    assert first.get_ydata().tolist() == list(range(50, 75))
    assert second.get_xdata() == pytest.approx(101 + np.arange(15) / 30)
    assert second.get_ydata().tolist() == list(range(30, 60, 2))
    assert list(display.axes_) == WRIST[:2]
    assert display.axes_["left_wrist_acc_y"].get_ylabel() == "acc y, m/s²"
    assert display.axes_["left_wrist_acc_y"].get_xlabel() == "time, s"


def test_without_a_part_traces_last_while_both_do():
    real, virtual = recordings()
    first, second = TraceDisplay.from_recordings(real, virtual).lines_["left_wrist_acc_x"]
    for line in (first, second):
        assert line.get_xdata()[0] == pytest.approx(100.5)
        assert 101.9 < line.get_xdata()[-1] < 102


def test_a_virtual_trace_that_ends_first_ends_both():
    real, virtual = recordings()
    for line in TraceDisplay.from_recordings(real, virtual, lag_s=1.0).lines_["left_wrist_acc_x"]:
        assert line.get_xdata()[0] == pytest.approx(100.0, abs=0.02)
        assert 101.4 < line.get_xdata()[-1] < 101.5


def test_a_lag_moves_the_virtual_trace_back():
    real, virtual = recordings()
    first, second = TraceDisplay.from_recordings(real, virtual, lag_s=0.5).lines_["left_wrist_acc_x"]
    assert second.get_xdata()[0] == pytest.approx(100.0)
    assert first.get_xdata()[0] == pytest.approx(100.0)
    assert second.get_ydata()[0] == 0


def test_a_mapper_moves_the_virtual_trace_and_leaves_its_holes():
    real, virtual = recordings()
    data = virtual.data.copy()
    data[5] = np.nan
    virtual = virtual.replace(data=data)
    training = np.stack([real.data[:50], virtual.data[6:56]])
    mapper = RankDistributionMapper().fit(training, sample_domain=[0, 1])
    display = TraceDisplay.from_recordings(real, virtual, ["left_wrist_acc_z"], mapper=mapper, stop_s=102.5)
    trace = display.lines_["left_wrist_acc_z"][1].get_ydata()
    (expected,) = mapper.transform([virtual.data[6:]], sample_domain=[1])
    assert trace[6:] == pytest.approx(expected[:, 2])
    assert trace[:5] == pytest.approx(mapper.transform([virtual.data[:5]], sample_domain=[1])[0][:, 2])
    assert np.nanmax(trace) <= 49
    assert np.flatnonzero(np.isnan(trace)).tolist() == [5]
    assert legend_of(display.ax_) == ["real", "virtual, mapped"]


def test_a_hole_in_one_channel_leaves_the_others_mapped():
    real, virtual = recordings()
    mapper = RankDistributionMapper().fit([real, virtual], sample_domain=[0, 1])
    (wanted,) = mapper.transform([virtual], sample_domain=[1])
    data = virtual.data.copy()
    data[20, 0] = np.nan
    display = TraceDisplay.from_recordings(real, virtual.replace(data=data), mapper=mapper, stop_s=102.5)
    assert display.virtual["left_wrist_acc_y"].to_numpy() == pytest.approx(wanted.data[:, 1])
    assert np.flatnonzero(np.isnan(display.virtual["left_wrist_acc_x"])).tolist() == [20]


def test_a_mapper_that_moves_real_data_moves_the_real_trace():
    real, virtual = recordings()
    mapper = RankDistributionMapper(direction="real_to_virtual").fit([real, virtual], sample_domain=[0, 1])
    display = TraceDisplay.from_recordings(real, virtual, WRIST[0], mapper=mapper, start_s=100.0)
    first, second = display.lines_[WRIST[0]]
    assert first.get_ydata() == pytest.approx(mapper.transform([real], sample_domain=[0])[0].data[:, 0])
    assert np.abs(first.get_ydata() - real.data[:, 0]).max() > 1
    assert second.get_ydata() == pytest.approx(virtual.data[: len(second.get_ydata()), 0])
    assert legend_of(display.ax_) == ["real, mapped", "virtual"]


def test_a_mapper_that_moves_nothing_is_refused():
    real, virtual = recordings()
    mapper = RankDistributionMapper().fit([real, virtual])
    with pytest.raises(DataFormatError, match="fitted without virtual samples, so it moves nothing"):
        TraceDisplay.from_recordings(real, virtual, mapper=mapper)


def test_rotations_turn_the_virtual_vectors_of_their_sites():
    names = [*WRIST, *(name.replace("acc", "gyr") for name in WRIST), *ANKLE]
    data = np.tile(np.arange(9.0), (60, 1))
    real, virtual = (Recording(data, 30, names, domain=domain) for domain in ("real", "virtual"))
    # x goes to y, y to z, z to x.
    turn = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    display = TraceDisplay.from_recordings(real, virtual, rotations={"left_wrist": turn, "chest": -turn})
    assert display.virtual.iloc[0].tolist() == [2, 0, 1, 5, 3, 4, 6, 7, 8]
    assert display.real.iloc[0].tolist() == list(range(9))
    assert legend_of(display.ax_.figure.axes[-1]) == ["real", "virtual, aligned"]


def test_an_aligner_shows_its_rotations_and_then_its_map():
    rng = np.random.default_rng(0)
    postures = np.array([[9.8, 0, 0], [0, 9.8, 0], [0, 0, 9.8]])
    y = np.repeat([0, 1, 2], 20)
    moved = postures[y][:, None] + rng.normal(size=(60, 30, 3))
    turn = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
    X, domain = np.concatenate([2 * moved @ turn.T, moved]), np.repeat([0, 1], 60)
    aligner = SensorAligner(channels=WRIST).fit(X, np.tile(y, 2), sample_domain=domain)
    aligned = aligner.transform(X, sample_domain=domain)
    mapper = RankDistributionMapper().fit(aligned, sample_domain=domain)
    real, virtual = (Recording(X[row], 30, WRIST, domain=side) for row, side in ((0, "real"), (60, "virtual")))
    display = TraceDisplay.from_recordings(real, virtual, rotations=aligner.rotations_, mapper=mapper)
    wanted = mapper.transform(aligned[[60]], sample_domain=[1])[0]
    assert display.virtual.to_numpy() == pytest.approx(wanted, abs=1e-4)
    legend = legend_of(display.axes_[WRIST[2]])
    assert legend == ["real", "virtual, aligned, mapped"]
    still = TraceDisplay.from_recordings(real, virtual, rotations={"left_wrist": np.eye(3)})
    assert legend_of(still.axes_[WRIST[2]]) == ["real", "virtual"]


def test_traces_can_be_called_otherwise():
    display = TraceDisplay.from_recordings(*recordings(), WRIST[0], labels=("watch", "video"))
    assert legend_of(display.ax_) == ["watch", "video"]


def test_rotations_that_do_not_fit_are_refused():
    real, virtual = recordings()
    with pytest.raises(UnknownNameError, match="rotations are of 'site 0', and no site of"):
        TraceDisplay.from_recordings(real, virtual, rotations={"site 0": np.eye(3)})
    with pytest.raises(DataFormatError, match=r"rotations\['left_wrist'\] must be of shape \(3, 3\), not \(3,\)"):
        TraceDisplay.from_recordings(real, virtual, rotations={"left_wrist": np.ones(3)})


def test_a_mapper_of_other_channels_is_refused():
    real, virtual = recordings()
    mapper = RankDistributionMapper().fit([real, virtual], sample_domain=[0, 1])
    turned = virtual.select(WRIST[::-1])
    with pytest.raises(DataFormatError, match="expects"):
        TraceDisplay.from_recordings(real, turned, mapper=mapper)


def test_sensors_stand_in_columns_and_axes_in_rows():
    real, virtual = recordings(WRIST + ANKLE)
    display = TraceDisplay.from_recordings(real, virtual)
    display.figure_.draw_without_rendering()
    centre = {name: ax.get_position().get_points().mean(axis=0) for name, ax in display.axes_.items()}
    wrist, ankle = (np.array([centre[name] for name in names]) for names in (WRIST, ANKLE))
    assert np.ptp(wrist[:, 0]) < 1e-3 and np.ptp(ankle[:, 0]) < 1e-3
    assert wrist[0, 0] < ankle[0, 0]
    assert np.diff(wrist[:, 1]).max() < 0
    assert wrist[:, 1] == pytest.approx(ankle[:, 1], abs=1e-3)
    assert [display.axes_[name].get_title(loc="left") for name in ("left_wrist_acc_x", "left_ankle_acc_x")] == [
        "left wrist",
        "left ankle",
    ]


def test_channels_of_any_name_stand_in_one_column():
    real, virtual = recordings(["effort", "left_wrist_acc_x"])
    display = TraceDisplay.from_recordings(real, virtual)
    assert [ax.get_ylabel() for ax in display.axes_.values()] == ["effort", "acc x, m/s²"]
    assert len({ax.get_subplotspec().colspan.start for ax in display.axes_.values()}) == 1


def test_traces_take_axes_of_their_own_or_divide_one():
    real, virtual = recordings()
    given = Figure().subplots(3, 1)
    own = TraceDisplay.from_recordings(real, virtual, ax=given)
    assert list(own.axes_.values()) == list(given)
    figure = Figure()
    divided, other = figure.subplots(1, 2)
    display = TraceDisplay.from_recordings(real, virtual, ax=divided)
    assert not divided.axison
    assert len(figure.axes) == 5
    assert all(ax.get_position().x1 <= other.get_position().x0 for ax in display.axes_.values())
    with pytest.raises(DataFormatError, match="3 channels need as many Axes, not 2"):
        TraceDisplay.from_recordings(real, virtual, ax=given[:2])
    with pytest.raises(DataFormatError, match="was not made by subplots"):
        TraceDisplay.from_recordings(real, virtual, ax=figure.add_axes((0, 0, 1, 1)))


def test_traces_that_share_nothing_are_refused():
    real, virtual = recordings()
    with pytest.raises(DataFormatError, match="nothing to compare"):
        TraceDisplay.from_recordings(real, recordings(ANKLE)[1])
    with pytest.raises(UnknownNameError, match="left_ankle_acc_x"):
        TraceDisplay.from_recordings(real, virtual, ["left_ankle_acc_x"])
    with pytest.raises(DataFormatError, match="has no sample from 103 s to 104 s; it lasts from 100 s to 102 s"):
        TraceDisplay.from_recordings(real, virtual, start_s=103, stop_s=104)
    with pytest.raises(DataFormatError, match="has no sample"):
        TraceDisplay.from_recordings(real, recordings(start_s=500.0)[1])
    with pytest.raises(DataFormatError, match="lag_s must be a finite number"):
        TraceDisplay.from_recordings(real, virtual, lag_s=np.nan)
    with pytest.raises(DataFormatError, match="the same channels"):
        TraceDisplay(real.to_dataframe(), virtual.to_dataframe()[WRIST[:2]])


@pytest.mark.parametrize("channels", [WRIST[:1], WRIST + ANKLE])
def test_the_legend_lies_below_the_time_axis_and_on_the_page(channels):
    display = TraceDisplay.from_recordings(*recordings(channels))
    display.figure_.draw_without_rendering()
    corner = display.axes_[channels[-1]]
    legend = corner.get_legend().get_window_extent()
    assert legend.y1 < corner.xaxis.label.get_window_extent().y0
    assert legend.y0 >= 0
    assert display._repr_png_().startswith(b"\x89PNG")


def test_traces_can_be_drawn_in_a_part_of_a_figure():
    figure = Figure(layout="constrained")
    left, _ = figure.subfigures(1, 2)
    display = TraceDisplay.from_recordings(*recordings(), ax=left.subplots(3, 1))
    figure.draw_without_rendering()
    assert display.figure_ is left
    assert display._repr_png_() is None
