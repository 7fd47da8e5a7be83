"""``python -m har_virtual`` is ``har-virtual``."""

from har_virtual.cli import main

main()
