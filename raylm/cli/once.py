"""An option given twice is a mistake: the parser would quietly keep the last."""

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand


class _OnceCommand(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except Exception as error:
            if (
                getattr(error, "ctx", ctx) is None
            ):  # an option without its value: its error would lack the usage
                error.__dict__["ctx"] = ctx
            raise
        _, _, order = self.make_parser(ctx).parse_args(args=given)
        for parameter, count in Counter(order).items():
            if count > 1 and parameter.param_type_name == "option" and not parameter.multiple:
                raise typer.BadParameter(f"{parameter.opts[-1]} is given {count} times; keep one", ctx=ctx)
        return rest


def refuse_repeats(app: typer.Typer) -> None:
    """Make every command of the application refuse an option that is given twice."""
    for command in app.registered_commands:
        command.cls = _OnceCommand
    for group in app.registered_groups:
        if group.typer_instance is not None:
            refuse_repeats(group.typer_instance)
