"""Draw the pictures of the data sets' pages: what the examples of each page call `figure`.

python docs/draw_datasets.py
"""

from __future__ import annotations

import contextlib
import doctest
import re
from pathlib import Path
from typing import TYPE_CHECKING

from har_virtual.datasets import DATASETS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOCS = Path(__file__).parent


def figure_of(page: Path) -> Figure:
    """Run the examples of a page, as its readers would; an output that is not the page's is an error."""
    blocks = re.findall(r"^```python\n(>>>.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    doctest.DebugRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, clear_globs=False)
    return test.globs["figure"]


def main() -> None:
    """Draw one picture a data set."""
    with contextlib.chdir(DOCS.parent):
        for name in DATASETS:
            figure_of(DOCS / "datasets" / f"{name}.md").savefig(DOCS / "images" / f"dataset_{name}.png", dpi=90)


if __name__ == "__main__":
    main()
