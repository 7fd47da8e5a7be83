"""Trained networks in files: safetensors, with all but the weights as JSON in the header. Nothing is unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.augmentation import describe, from_description
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.files import atomic_path

if TYPE_CHECKING:
    from har_virtual.models._base import DeepEstimator
    from har_virtual.models.pretrained import Pretrained

_KEY, _DIGEST = "har_virtual", "sha256"


def save(pretrained: Pretrained, path: str | PathLike) -> Path:
    """Write weights and description to one file, which appears when it is complete.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If it cannot be written.
    """
    safetensors = import_optional("safetensors.numpy", feature="saving a network", extra="deep")
    target, text = Path(path), pretrained.to_json()
    metadata = {_KEY: text, _DIGEST: digest(text, pretrained.weights)}
    with atomic_path(target) as temporary:
        temporary.write_bytes(safetensors.save(dict(pretrained.weights), metadata=metadata))
    return target


def digest(text: str, weights: Mapping[str, np.ndarray]) -> str:
    """Give the SHA-256 of a description and its weights, by which a file that was damaged is known."""
    found = hashlib.sha256(text.encode())
    for name in sorted(weights):
        found.update(name.encode())
        found.update(weights[name].tobytes())
    return found.hexdigest()


def load(path: str | PathLike) -> Pretrained:
    """Read what `save` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataFormatError
        If it is no safetensors file, was not written by this library, was damaged or changed since, or describes a
        larger network than it holds.
    """
    from har_virtual.models.pretrained import Pretrained

    safetensors = import_optional("safetensors", feature="loading a network", extra="deep")
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"There is no file {source}: give the path that save wrote.")
    try:
        with safetensors.safe_open(source, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            weights: dict[str, Any] = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise DataFormatError(f"{source} is no safetensors file, or was cut short ({error}).") from error
    except (TypeError, AttributeError) as error:
        raise DataFormatError(f"{source} has weights of a type that numpy does not have ({error}).") from error
    text = metadata.get(_KEY)
    if text is None:
        raise DataFormatError(
            f"{source} has weights, but no description by har_virtual: it was written by another program. Only files "
            "that an estimator's save wrote can be loaded."
        )
    if metadata.get(_DIGEST) != digest(text, weights):
        raise DataFormatError(f"{source} is not as save wrote it: it was damaged or changed since. Copy it anew.")
    try:
        pretrained = Pretrained.from_json(text, weights)
        _check_size(pretrained)
        return pretrained
    except DataFormatError as error:
        raise DataFormatError(f"{source}: {error}") from error


def _check_size(pretrained: Pretrained) -> None:
    """Refuse a description of more layers or units than there are weights, for building these would take for ever."""
    n_weights = sum(array.size for array in pretrained.weights.values())
    for name, value in pretrained.architecture.items():
        most = len(pretrained.weights) if name.endswith("_layers") else n_weights
        if isinstance(value, int) and value > most:
            raise DataFormatError(f"{name}={value} is more than a network of {n_weights} weights can have.")


def write_augmentation(augment: Any) -> Any:
    """Describe what augments, one or a sequence, in plain values; None if something is a function of one's own."""
    try:
        if augment is None:
            return None
        return describe(augment) if callable(augment) else [describe(step) for step in augment]
    except DataFormatError:
        return None


def _read_augmentation(description: Any) -> Any:
    if description is None or isinstance(description, Mapping):
        return description and from_description(description)
    return [from_description(step) for step in description]


def load_model(path: str | PathLike, *, device: str = "auto") -> DeepEstimator:
    """Give the fitted estimator that its `save` wrote.

    Parameters
    ----------
    path : path
    device : str, default="auto"
        Where it predicts; it need not be where it was trained.

    Returns
    -------
    estimator
        It predicts to the last bit what the saved one does on the same device. Parameters that JSON cannot hold are not
        in the file and have their defaults, as `save` warned: an augmentation of your own, a Generator.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataFormatError
        If it is no file that `save` wrote, or its weights are not those of the network that it describes.
    UnknownNameError
        If this version has no such estimator, or the device is not there.
    """
    from har_virtual.models.pretrained import NOT_WRITTEN, find_class

    pretrained = load(path)
    kind = find_class(pretrained.kind)
    try:
        params = {**pretrained.architecture, **pretrained.params}
        foreign = NOT_WRITTEN & params.keys()
        if foreign:
            raise ValueError(f"{', '.join(sorted(foreign))} is for whoever loads it to say")
        params["augment"] = _read_augmentation(params.get("augment"))
        if isinstance(params.get("class_weight"), tuple):
            params["class_weight"] = dict(params["class_weight"])
        estimator = kind(**params, channels=pretrained.channels, device=device)
        estimator._validate_params()
        estimator._restore(pretrained)
    except UnknownNameError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
        raise DataFormatError(f"{path} does not describe the network that it holds: {error}") from error
    return estimator
