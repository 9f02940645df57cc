"""`python -m fake_server` is `ocbulk-server`."""

from .cli import main

main()
