"""`python -m fake_server` is `ocbulk-server`."""

from __future__ import annotations

import gc


def main() -> None:
    """Load the program, then run it.

    What is imported stays for good: to look for garbage among it, meanwhile and later, would cost time for nothing.
    """
    gc.disable()
    from .cli import main as program

    gc.freeze()
    gc.enable()
    program()


if __name__ == "__main__":
    main()
