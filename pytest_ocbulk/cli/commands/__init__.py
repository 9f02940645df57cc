"""The commands of `ocbulk`: one module each, named like the command, holding it as `command`."""
