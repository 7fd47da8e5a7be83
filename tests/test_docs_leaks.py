"""docs/leaks.md: its figures are those of the benchmark, and its code on UTD-MHAD runs and gives them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "leaks.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "leaks.json").read_text(encoding="utf-8"))["results"]


def figure(value: float, *, signed: bool = False) -> str:
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("0.", ".", 1).replace("-", "−")


def row(label: str, scores: dict) -> str:
    subjects = f"{figure(scores['mean_over_subjects'])} ± {figure(scores['sd_over_subjects'])}"
    return f"| {label} | {figure(scores['macro_f1'])} | {subjects} | {too_high(scores)} |"


def too_high(scores: dict) -> str:
    if "too_high" not in scores:
        return "right"
    difference, low, high = (figure(scores["too_high"][name], signed=True) for name in ("difference", "low", "high"))
    return f"{difference} ({low} to {high})"


def parts(results: dict = RESULTS) -> Iterator[dict]:
    """Every right protocol with its wrong ones, however deep it lies."""
    for found in results.values():
        if "rows" in found:
            yield found
        else:
            yield from parts(found)


def measured() -> set[str]:
    """All rows that a table of the page may have."""
    rows = {row(label, scores) for part in parts() for label, scores in part["rows"].items()}
    budgets = RESULTS["late_budget"]
    return rows | {budget_row(budgets, method, number) for method in budgets for number in budgets[method]}


def budget_row(budgets: dict, method: str, number: str) -> str:
    early, late = (budgets[method][number]["rows"][label] for label in ("before every fit", "for the forest only"))
    return f"| {number} | {method} | {figure(early['macro_f1'])} | {figure(late['macro_f1'])} | {too_high(late)} |"


def figures(text: str) -> set[str]:
    return set(re.findall(r"(?<![\d.])\.\d{3}\b", text))


def test_every_row_of_a_table_is_a_result():
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and figures(line)]
    assert len(rows) > 20
    assert not [line for line in rows if line not in measured()]


def test_every_figure_in_the_text_stands_in_a_result():
    known = figures(" ".join(measured()))
    known |= {figure(value) for value in RESULTS["choice_on_the_test_subjects"]["seeds"]["macro_f1_of_seeds"]}
    text = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    assert figures(text) and figures(text) <= known, figures(text) - known


def blocks() -> list[str]:
    """Code that needs UTD-MHAD; the rest are doctests, which test_docs.py runs."""
    found = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    return [block for block in found if ">>>" not in block]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")
def test_the_code_gives_the_figures_that_stand_beside_it(test_data, tmp_path, monkeypatch):
    (tmp_path / "utd_mhad").symlink_to(test_data / "utd_mhad")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(block, names)
        expected = [float(text) for text in re.findall(r"^print\(.*  # (\S+)$", block, flags=re.MULTILINE)]
        # Another version of scikit-learn or numpy may break a tie in a forest otherwise.
        assert [float(text) for text in printed.getvalue().split()] == pytest.approx(expected, abs=0.01), block
