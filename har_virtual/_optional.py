"""The one place where optional dependencies are imported."""

from __future__ import annotations

import importlib
from types import ModuleType

from har_virtual.exceptions import MissingDependencyError

_SYSTEM_LIBRARIES = {
    "libGL.so.1": "apt-get install libgl1",
    "libgthread-2.0.so.0": "apt-get install libglib2.0-0",
    "libglib-2.0.so.0": "apt-get install libglib2.0-0",
}


def import_optional(module: str, *, feature: str, extra: str) -> ModuleType:
    """Import `module`, or say which feature needs it and how to install it.

    Parameters
    ----------
    module : str
        Dotted module name, such as "mediapipe".
    feature : str
        What the user was doing, such as "pose estimation".
    extra : str
        The extra of this package that brings the module.

    Raises
    ------
    MissingDependencyError
        If the module, or a system library that it loads, is absent.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        for library, command in _SYSTEM_LIBRARIES.items():
            if library in str(error):
                raise MissingDependencyError(
                    f"{feature} needs the system library {library}, which {module} loads. Install it with: {command}"
                ) from error
        raise MissingDependencyError(
            f"{feature} needs {module}, which could not be imported ({error}). "
            f"Install it with: pip install 'har_virtual[{extra}]'"
        ) from error
