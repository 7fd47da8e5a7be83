"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data that lies beside the repository."""
    folder = Path(os.environ.get("HAR_VIRTUAL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set HAR_VIRTUAL_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def demo_video(test_data: Path) -> Path:
    """A man on a roof who jumps off and runs over a lawn; a woman who walks past below him."""
    return test_data / "video" / "sports2d_demo.mp4"


@pytest.fixture(scope="session")
def motion_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session, so that the demo video is decoded once."""
    return tmp_path_factory.mktemp("cache")
