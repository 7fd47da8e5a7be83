"""The scripts that write the samples of data sets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def script_of(sample: Path) -> ModuleType:
    """Load the script that lies beside a sample."""
    spec = importlib.util.spec_from_file_location(f"make_sample_of_{sample.name}", sample / "make_sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
