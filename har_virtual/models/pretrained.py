"""Trained weights with all that is needed to use them again: what a file holds and what fine-tuning begins with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.models._description import can_be_written, label_dtype, plain, tuples

if TYPE_CHECKING:
    from torch import Tensor, nn

    from har_virtual.models._base import DeepEstimator

HEAD = "head"
"""The submodule of a network that gives the logits, one row a class."""

# What a Pretrained has a field for, cannot be written down, or is the business of who loads it.
NOT_WRITTEN = frozenset(("pretrained", "freeze", "device", "channels"))


@dataclass(frozen=True, eq=False, repr=False)
class Pretrained:
    """The weights of a fitted deep estimator, and what it takes to build and to feed that network again.

    It cannot be changed, so that a copy of it is itself: an estimator that has it as a parameter is cloned at no cost,
    and the clone begins with the same weights. All but the weights can be written as JSON.

    Parameters
    ----------
    kind : str
        Class of the estimator, such as ``"DeepConvLSTMClassifier"``.
    weights : mapping of str to ndarray
        Parameters and buffers of the network by their names in its ``state_dict``. Kept as read-only copies.
    architecture : mapping of str to object
        The estimator's own parameters, those that the network's shape depends on; text, numbers, True, False, None or
        sequences of them.
    n_samples, n_channels : int
        Shape of a window in pretraining.
    channels : sequence of str, optional
        Names of the channels, where the estimator was given them.
    classes : array of shape (n_classes,), optional
        Labels in the order of the head's rows; None for a network without a classifying head.
    mean, scale : array of shape (n_channels,)
        What the network's input was shifted and divided by, in the units of the channels.
    params : mapping of str to object
        The estimator's parameters of training, as far as they can be written down.
    learned : mapping of str to object
        What else the estimator learned or counted (``best_epoch_``, ``validated_``, ...), by attribute; a DataFrame is
        a mapping of columns.
    n_classes : int, optional
        So many labels are expected in fine-tuning; `from_pretrained` sets it.

    Raises
    ------
    DataFormatError
        If mean or scale do not have a value for each channel, scale one that is not positive, weights are not finite
        numbers, labels occur twice, or the head does not have a row for each class.
    """

    kind: str
    weights: Mapping[str, np.ndarray]
    architecture: Mapping[str, Any]
    n_samples: int
    n_channels: int
    channels: Sequence[str] | None
    classes: np.ndarray | None
    mean: np.ndarray
    scale: np.ndarray
    params: Mapping[str, Any] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)
    n_classes: int | None = None

    def __post_init__(self) -> None:
        own = {
            "weights": MappingProxyType({name: _read_only(array) for name, array in self.weights.items()}),
            "architecture": MappingProxyType(plain(self.architecture)),
            "channels": None if self.channels is None else tuple(map(str, self.channels)),
            "classes": None if self.classes is None else _read_only(self.classes),
            "mean": _read_only(self.mean, dtype=np.float64),
            "scale": _read_only(self.scale, dtype=np.float64),
            "params": MappingProxyType(plain(self.params)),
            "learned": MappingProxyType(plain(self.learned)),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        shape = (self.n_samples, self.n_channels)
        if not isinstance(self.kind, str) or set(map(type, shape)) != {int} or min(shape) < 1:
            raise DataFormatError(
                f"kind must be text, n_samples and n_channels whole numbers over 0, not {self.kind!r}, "
                f"{self.n_samples!r} and {self.n_channels!r}."
            )
        if self.channels is not None and len(self.channels) != self.n_channels:
            raise DataFormatError(f"channels must name each of {self.n_channels} channels; they are {self.channels}.")
        for name in ("mean", "scale"):
            if getattr(self, name).shape != (self.n_channels,):
                raise DataFormatError(
                    f"{name} must have a value for each of {self.n_channels} channels; its shape is "
                    f"{getattr(self, name).shape}."
                )
        if not np.isfinite(self.mean).all() or not (np.isfinite(self.scale) & (self.scale > 0)).all():
            raise DataFormatError(f"mean must be finite and scale over 0; they are {self.mean} and {self.scale}.")
        for name, array in self.weights.items():
            if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
                raise DataFormatError(f"Weights must be finite numbers; those of {name} are not.")
        if self.classes is not None:
            self._check_labels(self.classes)

    def _check_labels(self, classes: np.ndarray) -> None:
        if classes.ndim != 1 or len(set(classes.tolist())) != len(classes):
            raise DataFormatError(f"classes must be different labels, not {classes.tolist()}.")
        for name, array in self.weights.items():
            if name.startswith(f"{HEAD}.") and array.shape[:1] != (len(classes),):
                raise DataFormatError(
                    f"The head has {array.shape[0] if array.ndim else 0} rows, but there are {len(classes)} classes."
                )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping proxy cannot be pickled, and joblib pickles what it hands to other processes.
        values = (getattr(self, part.name) for part in fields(self))
        return type(self), tuple(dict(value) if isinstance(value, Mapping) else value for value in values)

    def __repr__(self) -> str:
        labels = "" if self.classes is None else f", {len(self.classes)} classes"
        return f"<Pretrained {self.kind}: windows of {self.n_samples} x {self.n_channels}{labels}>"

    def to_json(self) -> str:
        """Write all but the weights.

        Returns
        -------
        str
            JSON that `from_json` reads.

        Raises
        ------
        DataFormatError
            If labels are something else than text, numbers, True and False.
        """
        values = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "weights"}
        classes = values.pop("classes")
        if classes is not None:
            values["classes"] = {"dtype": classes.dtype.str, "values": classes.tolist()}
            if not can_be_written(plain(values["classes"])):
                raise DataFormatError(
                    f"Labels of the type {classes.dtype} cannot be saved: train with text, numbers, True and False."
                )
        return json.dumps(plain(values))

    @classmethod
    def from_json(cls, text: str, weights: Mapping[str, np.ndarray]) -> Self:
        """Put weights and what `to_json` wrote together.

        Raises
        ------
        DataFormatError
            If the text was not written by `to_json`.
        """
        try:
            values = json.loads(text)
            labels = values.pop("classes", None)
            classes = None if labels is None else np.array(labels["values"], dtype=label_dtype(labels["dtype"]))
            values = {name: tuples(value) for name, value in values.items()}
            return cls(weights=weights, classes=classes, **values)
        except DataFormatError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise DataFormatError(f"This is no description of a trained network ({error}).") from error

    @classmethod
    def of(cls, estimator: DeepEstimator) -> Self:
        """Take the weights of a fitted deep estimator, with all that belongs to them.

        Raises
        ------
        DataFormatError
            If it is no deep estimator.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        if not hasattr(estimator, "_architecture"):
            raise DataFormatError(
                f"{type(estimator).__name__} has no network of its own: give the deep estimator inside it, such as "
                "search.best_estimator_, pipeline[-1] or model.estimator_."
            )
        check_is_fitted(estimator, "net_")
        architecture = {name: getattr(estimator, name) for name in estimator._architecture}
        state = estimator.net_.module_.network.state_dict()
        return cls(
            kind=type(estimator).__name__,
            weights={name: tensor.detach().cpu().numpy() for name, tensor in state.items()},
            architecture=architecture,
            n_samples=estimator.n_features_in_,
            n_channels=estimator.n_channels_in_,
            channels=estimator.channels,
            classes=getattr(estimator, "classes_", None),
            mean=estimator.mean_,
            scale=estimator.scale_,
            params=_parameters_of(estimator),
            learned={name: getattr(estimator, name) for name in estimator._learned},
        )

    def state(self, network: nn.Module, classes: np.ndarray | None = None) -> dict[str, Tensor]:
        """Give the state with which a network begins that is to tell `classes` apart.

        If each of them is among the pretrained classes, the head takes over their rows; else the head of `network`
        stays as it is.

        Parameters
        ----------
        network : nn.Module
        classes : array of shape (n_classes,), optional
            Labels in the order of the head's rows; missing for a network without a head, and to keep all rows.

        Returns
        -------
        dict of str to Tensor
            For ``network.load_state_dict``.

        Raises
        ------
        DataFormatError
            If the network does not have the pretrained one's parameters, in the same shapes.
        """
        import torch

        own, rows = network.state_dict(), self._head_rows(classes)
        self._check_names(own)
        begun: dict[str, Tensor] = {}
        for name, tensor in own.items():
            of_head = name.startswith(f"{HEAD}.")
            if of_head and rows is None:
                begun[name] = tensor
                continue
            weights = self.weights[name][rows] if of_head else self.weights[name]
            if weights.shape != tuple(tensor.shape):
                raise DataFormatError(
                    f"{name} has the shape {weights.shape} in the pretrained {self.kind} and {tuple(tensor.shape)} in "
                    f"this one: its architecture was {dict(self.architecture)}, with windows of {self.n_samples} "
                    f"samples and {self.n_channels} channels."
                )
            begun[name] = torch.tensor(weights)
        return begun

    def _check_names(self, own: Iterable[str]) -> None:
        different = sorted(set(self.weights) ^ set(own))
        if different:
            raise DataFormatError(
                f"The pretrained {self.kind} is another network: only one of the two has {', '.join(different[:3])}."
            )

    def _head_rows(self, classes: np.ndarray | None) -> list[int] | slice | None:
        if classes is None:
            return slice(None)
        known = {label: row for row, label in enumerate([] if self.classes is None else self.classes.tolist())}
        labels = classes.tolist()
        return [known[label] for label in labels] if known.keys() >= set(labels) else None

    def check_architecture(self, own: Mapping[str, Any]) -> None:
        """Check that another network is built as this one was, also where its weights happen to have the same shapes.

        Parameters
        ----------
        own : mapping of str to object
            The parameters of the other network's estimator that its shape depends on.

        Raises
        ------
        DataFormatError
            If one of them has another value.
        """
        for name, value in plain(own).items():
            if name in self.architecture and self.architecture[name] != value:
                raise DataFormatError(
                    f"{name} is {value!r}, but the {self.kind} whose weights it is to begin with was trained with "
                    f"{self.architecture[name]!r}: leave {name} as it was, or train anew."
                )

    def check_windows(
        self,
        *,
        n_channels: int,
        channels: Sequence[str] | None,
        n_classes: int,
        n_samples: int | None = None,
    ) -> None:
        """Check that windows are such as were pretrained on.

        Parameters
        ----------
        n_channels : int
        channels : sequence of str, optional
            Names of the channels; unless both have them, only their number is compared.
        n_classes : int
            How many labels the windows have.
        n_samples : int, optional
            Length of the windows, where the network depends on it.

        Raises
        ------
        DataFormatError
            If there are other channels, another order of them, another length, or not the expected number of labels.
        """
        if n_samples not in (None, self.n_samples):
            raise DataFormatError(
                f"X has windows of {n_samples} samples, but the network in {self.kind} was pretrained on windows of "
                f"{self.n_samples}: cut both with the same window_length_s and sampling_rate_hz."
            )
        if n_channels != self.n_channels:
            raise DataFormatError(
                f"X has {n_channels} channels, but the network in {self.kind} was pretrained on {self.n_channels}: "
                f"{'whose names it does not know' if self.channels is None else ', '.join(self.channels)}."
            )
        if channels is not None and self.channels is not None and list(channels) != list(self.channels):
            raise DataFormatError(
                f"channels of {self.kind} are {list(channels)}, but its network was pretrained on "
                f"{list(self.channels)}: cut windows with these channels, in this order."
            )
        if self.n_classes not in (None, n_classes):
            raise DataFormatError(
                f"y has {n_classes} labels, but from_pretrained was told n_classes={self.n_classes}: give that many, "
                "or leave n_classes out."
            )


def from_pretrained(
    model: DeepEstimator | Pretrained | str | PathLike,
    *,
    n_classes: int | None = None,
    freeze: Sequence[str] | str = (),
    **params: Any,
) -> DeepEstimator:
    """Make an estimator that fine-tunes a trained network, IMUTube's supervised transfer (section 5.1).

    Its `fit` begins with the pretrained weights. If all labels that it is given were pretrained, the head keeps the
    rows of these; with another label, the whole head begins anew. The windows need the channels of pretraining, in
    their order, and are shifted and scaled as then.

    Parameters
    ----------
    model : fitted estimator, Pretrained or path
        A path is that of a file written by the estimator's `save`.
    n_classes : int, optional
        How many labels `fit` is to expect; it raises for another number. Default: as many as it is given.
    freeze : sequence of str, default=()
        Parts of the network that keep their weights, such as ``("convolutions",)``: see the estimator.
    **params
        Parameters of the estimator, such as ``lr=1e-4``; those of training are the class's defaults otherwise. A
        changed architecture is an error in `fit`.

    Returns
    -------
    estimator
        Of the same class, not fitted. A clone of it begins with the same weights, so that it can be searched.

    Raises
    ------
    DataFormatError
        If the model is not one that can be fine-tuned.
    UnknownNameError
        If this version has no such estimator.
    OSError
        If there is no such file.

    See Also
    --------
    PretrainOnVirtual : Pretrains on virtual rows and fine-tunes on real ones.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.models import DeepConvLSTMClassifier, from_pretrained
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 20, 3)).astype(np.float32)
    >>> params = {"max_epochs": 1, "validation_subjects": None, "random_state": 0}
    >>> tiny = DeepConvLSTMClassifier(n_filters=4, lstm_size=8, **params)
    >>> walking = tiny.fit(X, rng.choice(["run", "walk"], 40))
    >>> model = from_pretrained(walking, freeze=("convolutions",), lr=1e-4, **params)
    >>> model.fit(X, rng.choice(["jump", "run", "walk"], 40)).classes_.tolist()
    ['jump', 'run', 'walk']
    """
    trained = find_pretrained(model)
    estimator: type[Any] = type(model) if hasattr(model, "net_") else find_class(trained.kind)
    if "pretrained" not in estimator._get_param_names():
        raise DataFormatError(f"A {trained.kind} is not fine-tuned; load_model gives it back as it was fitted.")
    given = {**trained.architecture, "channels": trained.channels, **params}
    return estimator(pretrained=replace(trained, n_classes=n_classes), freeze=freeze, **given)


def find_pretrained(model: DeepEstimator | Pretrained | str | PathLike) -> Pretrained:
    """Give the weights of a fitted estimator or of a saved file.

    Raises
    ------
    DataFormatError
        If the file, or the estimator, has none.
    OSError
        If there is no such file.
    """
    if isinstance(model, Pretrained):
        return model
    if isinstance(model, str | PathLike):
        from har_virtual.models.storage import load

        return load(model)
    return Pretrained.of(model)


def find_class(kind: str) -> type[DeepEstimator]:
    """Give the estimator of this library that has some name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    from har_virtual import models

    found: Any = getattr(models, kind) if kind in models.__all__ else None
    if not hasattr(found, "_architecture"):
        raise UnknownNameError(f"This version of har_virtual has no deep estimator {kind!r}, which the weights are of.")
    return found


def freeze_parts(network: Any, names: Sequence[str] | str) -> None:
    """Let parts of a network, which it names in `parts`, keep their weights in training.

    What such a part counts in training (as batch normalisation does) stays as it is only if it is kept in evaluation
    mode, too.

    Raises
    ------
    UnknownNameError
        If the network has no such part.
    """
    parts, names = tuple(network.parts), [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in parts]
    if unknown:
        raise UnknownNameError(
            f"freeze names {unknown}, but the parts of a {type(network).__name__} are {parts}; its head always learns."
        )
    for name in names:
        getattr(network, name).requires_grad_(False)


def _parameters_of(estimator: DeepEstimator) -> dict[str, Any]:
    own = estimator.get_params(deep=False)
    if isinstance(own.get("class_weight"), Mapping):
        # Labels need not be text, as keys are in JSON.
        own["class_weight"] = tuple(own["class_weight"].items())
    names = own.keys() - set(estimator._architecture) - NOT_WRITTEN
    return {name: own[name] for name in sorted(names) if can_be_written(plain(own[name]))}


def _read_only(values: Any, dtype: Any = None) -> np.ndarray:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array
