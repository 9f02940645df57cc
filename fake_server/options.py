"""Options whose refusal names the environment variable that a wrong value came from, where it came from one."""

from __future__ import annotations

from functools import partial

import click
from click.core import ParameterSource


class Option(click.Option):
    """An option as click has it; only the place of a wrong value is told better."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """What a refusal calls this option: `'--dialect' (from OCBULK_DIALECT)`."""
        hint = super().get_error_hint(ctx)
        if ctx is None or ctx.get_parameter_source(self.name or "") is not ParameterSource.ENVIRONMENT:
            return hint
        return f"{hint} (from {self.envvar or f'{ctx.auto_envvar_prefix}_{self.name}'.upper()})"


option = partial(click.option, cls=Option)
"""`click.option` with such options."""
