"""The command line: ``har-virtual convert | datasets | demo``."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError, MissingArgumentError

from har_virtual import __version__
from har_virtual.cli._output import say
from har_virtual.cli.convert import convert
from har_virtual.cli.datasets import datasets
from har_virtual.cli.demo import demo
from har_virtual.exceptions import HarVirtualError

app = App(
    name="har-virtual",
    help="Virtual IMU streams from ordinary videos of people.",
    version=__version__,
    # main() says what is left.
    suppress_keyboard_interrupt=False,
)
app.command(convert)
app.command(datasets)
app.command(demo)


def main() -> None:
    """Run the command line; one clear line instead of a traceback."""
    try:
        sys.exit(app(sys.argv[1:], exit_on_error=False, print_error=False))
    except CycloptsError as error:
        missing = isinstance(error, MissingArgumentError) and "VIDEOS" in str(error)
        say(f"har-virtual: {error}{' Videos come first, before --sites.' if missing else ''}")
        sys.exit(2)
    except (HarVirtualError, ValueError, FileNotFoundError) as error:
        say(f"har-virtual: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("har-virtual: interrupted; what was finished is kept, and the same command goes on from it")
        sys.exit(130)
    except BrokenPipeError:
        # Whoever reads has read enough, as head does; without this the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
