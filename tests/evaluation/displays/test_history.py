"""Training histories: lines and the marked epoch are compared with the table, not with pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from har_virtual.adaptation import DomainSelector
from har_virtual.evaluation import TrainingHistoryDisplay
from har_virtual.exceptions import DataFormatError

# Most tests here need nobody who validates.
pytestmark = pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit")

pytest.importorskip("matplotlib")

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3, 4],
        "train_loss": [2.0, 1.2, 0.7, 0.4],
        "valid_loss": [1.9, 1.4, 1.5, 1.6],
        "valid_f1": [0.2, 0.5, 0.6, 0.55],
        "duration_s": 0.1,
    }
)


@pytest.fixture(scope="module")
def windows():
    rng, y = np.random.default_rng(0), np.tile(["sit", "walk"], 20)
    return rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(40, 20, 3)), y


def network(**given):
    pytest.importorskip("skorch")
    from har_virtual.models import DeepConvLSTMClassifier

    return DeepConvLSTMClassifier(n_filters=2, lstm_size=2, max_epochs=3, device="cpu", random_state=0, **given)


def test_each_column_is_a_line_over_epochs_and_the_lowest_validation_loss_is_marked():
    display = TrainingHistoryDisplay(HISTORY).plot()
    for column in ("train_loss", "valid_loss", "valid_f1"):
        assert display.lines_[column].get_xdata().tolist() == [1, 2, 3, 4]
        assert display.lines_[column].get_ydata().tolist() == HISTORY[column].tolist()
    assert display.lines_["valid_f1"].axes is display.axes_["f1"] is not display.ax_
    assert display.best_epoch_ == 2
    assert [line.get_xdata()[0] for line in display.best_lines_] == [2, 2]
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()][-1] == "kept: epoch 2"


def test_without_validation_rows_the_training_loss_stands_alone():
    alone = HISTORY.assign(valid_loss=np.nan, valid_f1=np.nan)
    display = TrainingHistoryDisplay(alone).plot()
    assert list(display.axes_) == ["loss"] and list(display.lines_) == ["train_loss"]
    assert display.best_epoch_ is None and display.best_lines_ == []


def test_axes_of_a_figure_of_ones_own_are_taken_and_one_shows_the_loss():
    from matplotlib.figure import Figure

    axes = Figure().subplots(1, 2)
    display = TrainingHistoryDisplay(HISTORY).plot(axes, legend=False)
    assert list(display.axes_.values()) == list(axes) and display._repr_png_() is None
    assert list(TrainingHistoryDisplay(HISTORY).plot(axes[0]).axes_) == ["loss"]
    with pytest.raises(DataFormatError, match="one Axes or two, not 0"):
        TrainingHistoryDisplay(HISTORY).plot([])


def test_the_network_is_found_in_whatever_is_around_it(windows):
    X, y = windows
    model = make_pipeline(DomainSelector(network(), train_on="real")).fit(X, y)
    display = TrainingHistoryDisplay.from_estimator(model)
    trained = model.steps[0][1].estimator_.history_
    assert display.lines_["train_loss"].get_ydata().tolist() == trained["train_loss"].tolist()
    assert display.best_epoch_ is None
    search = GridSearchCV(network(), {"lr": [1e-3]}, cv=2).fit(X, y)
    searched = TrainingHistoryDisplay.from_estimator(make_pipeline(search)).history
    assert searched["train_loss"].tolist() == search.best_estimator_.history_["train_loss"].tolist()


def test_the_epoch_that_the_estimator_kept_is_marked(windows):
    X, y = windows
    model = network().fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    display = TrainingHistoryDisplay.from_estimator(model)
    assert display.best_epoch_ == model.best_epoch_ and len(display.best_lines_) == 2


def test_what_has_no_history_is_refused():
    forest = LogisticRegression()
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(forest)
    with pytest.raises(DataFormatError, match="LogisticRegression has no history_"):
        TrainingHistoryDisplay.from_estimator(forest.fit([[0.0], [1.0]], [0, 1]))
    with pytest.raises(DataFormatError, match="best_epoch must be one of the epochs of history, not 9"):
        TrainingHistoryDisplay(HISTORY, best_epoch=9)
    with pytest.raises(DataFormatError, match="train_loss"):
        TrainingHistoryDisplay(HISTORY.drop(columns="train_loss"))
