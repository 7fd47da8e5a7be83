"""docs/deep_models.md: its code runs, beside that of the README, with small networks and few people."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deep_models.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

# Networks of the size that the page has take minutes; that the figures are right is not what is tested here.
SMALLER = {
    "range(6)": "range(4)",
    "range(20, 26)": "range(20, 22)",
    "duration_s=10.0": "duration_s=5.0",
    '"n_filters": 16, "lstm_size": 32, "lr": 3e-3, "max_epochs": 15': '"n_filters": 2, "lstm_size": 2, "max_epochs": 1',
    "n_filters=(8, 16), max_epochs=15, ": "n_filters=(2, 4), max_epochs=1, ",
    "max_epochs=15, random_state=0)\nwrist": "max_epochs=1, random_state=0)\nwrist",
    "DeepConvLSTMClassifier(channels": "DeepConvLSTMClassifier(n_filters=2, lstm_size=2, max_epochs=1, channels",
    "RandomForestClassifier(50": "RandomForestClassifier(3",
    "[1e-3, 1e-4]": "[1e-3]",
    "seeds=(0, 1, 2)": "seeds=(0, 1)",
}


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_guide_runs_and_what_the_readme_says_of_networks(tmp_path):
    (readme,) = (block for block in blocks(README) if "DeepConvLSTMClassifier" in block)
    script = "\n".join([*blocks(PAGE), readme])
    for full, small in SMALLER.items():
        assert full in script
        script = script.replace(full, small)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for printed in ("Mix2R mapped", "valid_f1", "weight_decay", "'validation':", "sd_over_seeds"):
        assert printed in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"history.png", "wrist.safetensors"}
