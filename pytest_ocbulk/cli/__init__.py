"""`ocbulk`, the command line. One file in `commands/` is one command; nothing else needs to know of it.

Modules: group (finds the commands, turns whatever happens into an exit code), connection (the options that say which
instance), output (tables and JSON), progress (bars on a terminal, lines elsewhere), verdict (what a job's end means).

To add a command, add `commands/<name>.py` with a click command called `command`. Its module docstring is not shown;
the docstring of its function is the help. It returns an exit code, or None for 0.
"""

from .group import main, ocbulk

__all__ = ["main", "ocbulk"]
