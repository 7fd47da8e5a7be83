"""docs/leaks.md: its figures are those of the benchmark, and its code on UTD-MHAD runs and gives them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "leaks.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "leaks.json").read_text(encoding="utf-8"))["results"]


TITLES = {
    "overlapping_windows": "R2R",
    "map_of_test_rows": "V2R, aligned, real rows mapped",
    "settings": "R2R",
    "seeds": "R2R",
}
"""First cell of a table's head, where it is not the name of the part itself."""

PER_CLASS = "V2R, aligned, mapped per class"
OVERVIEW = {
    "windows of one person on both sides": (["overlapping_windows"], "K-fold over windows"),
    "map per class fitted on all rows": (["adapted_in_advance", PER_CLASS], "map on everything"),
    "map per class fitted on the test person alone": (
        ["adapted_in_advance", PER_CLASS],
        "map on the test subject's real rows alone",
    ),
    "test rows mapped by their own labels": (["map_of_test_rows"], "a map for each class, by the test labels"),
    "virtual rows of the test person in training": (["virtual_rows_of_the_test_subject", PER_CLASS], "in training"),
    "budget of labels cut too late (6 windows a class)": (
        ["late_budget", "Mix2R, aligned, mapped per class", "6"],
        "for the forest only",
    ),
    "settings chosen on the test people": (["choice_on_the_test_subjects", "settings"], "chosen on all test subjects"),
    "rotation fitted on all rows": (["adapted_in_advance", "V2R, aligned, mapped"], "rotation on everything"),
}
"""Row of the first table, to where the figures stand."""


def figure(value: float, *, signed: bool = False) -> str:
    value = round(value, 3) + 0.0  # no minus before zero
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


def parts(results: dict = RESULTS) -> Iterator[tuple[str, dict]]:
    """Every right protocol with its wrong ones, however deep it lies, and its name."""
    for name, found in results.items():
        if "rows" in found:
            yield name, found
        else:
            yield from parts(found)


def measured() -> list[tuple[str, set[str]]]:
    """Title and rows of all tables that the page may have."""
    tables = [(TITLES.get(name, name), {row(*each) for each in part["rows"].items()}) for name, part in parts()]
    budgets = {budget_row(method, number) for method, found in RESULTS["late_budget"].items() for number in found}
    overview = {overview_row(label, *where) for label, where in OVERVIEW.items()}
    return [*tables, ("real windows a class", budgets), ("leak", overview)]


def budget_row(method: str, number: str) -> str:
    rows = RESULTS["late_budget"][method][number]["rows"]
    early, late = rows["before every fit"], rows["for the forest only"]
    return f"| {number} | {method} | {figure(early['macro_f1'])} | {figure(late['macro_f1'])} | {too_high(late)} |"


def overview_row(label: str, path: list[str], wrong: str) -> str:
    part = reduce(dict.__getitem__, path, RESULTS)
    scores, right = part["rows"][wrong], part["rows"][part["right"]]
    difference = figure(scores["too_high"]["difference"], signed=True)
    return f"| {label} | {figure(scores['macro_f1'])} | {figure(right['macro_f1'])} | {difference} |"


def tables() -> list[tuple[str, set[str]]]:
    """Title and rows of the tables of the page."""
    found = re.findall(r"^(\|.*)\n\|[-|]+\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE)
    return [(head.split("|")[1].strip(), set(rows.splitlines())) for head, rows in found]


def figures(text: str) -> set[str]:
    return set(re.findall(r"(?<![\d.])\.\d{3}\b", text))


@pytest.mark.parametrize(("title", "rows"), tables())
def test_a_table_has_the_figures_of_the_results(title, rows):
    assert any(title == other and rows <= known for other, known in measured()), title


def test_the_page_has_all_its_tables():
    titles = [title for title, _ in tables()]
    assert len(titles) == 11
    assert titles[0] == "leak" and len(tables()[0][1]) == len(OVERVIEW)


def test_every_figure_in_the_text_and_beside_the_code_stands_in_a_result():
    budget = RESULTS["late_budget"]["Mix2R, aligned, mapped per class"]["6"]
    single = [*RESULTS["choice_on_the_test_subjects"]["seeds"]["macro_f1_of_seeds"]]
    single += [scores[0] for scores in budget["macro_f1_of_draws"].values()]
    known = {figure(value) for value in single} | figures(" ".join(line for _, rows in measured() for line in rows))
    text = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    found = figures(text) | figures(" ".join(re.findall(r"  # 0(\.\d{3})$", text, flags=re.MULTILINE)))
    assert len(found) > 20
    assert not found - known


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
