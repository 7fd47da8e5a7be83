"""What commands say: results on standard output, messages on standard error, neither across a progress bar."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Give each of the library's warnings as a line, once, when the block has ended."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            _say_warnings(caught)


def _say_warnings(caught: list[warnings.WarningMessage]) -> None:
    for message in dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning)):
        say(f"warning: {message}")


def show(text: str, *, file: TextIO | None = None) -> None:
    """Give a text as it is, on standard output by default."""
    from tqdm.auto import tqdm

    file = sys.stdout if file is None else file
    tqdm.write(text, file=file)
    file.flush()


def say(line: str) -> None:
    """Give a message as one line, on standard error."""
    from tqdm.auto import tqdm

    tqdm.write(" ".join(line.split()), file=sys.stderr)
