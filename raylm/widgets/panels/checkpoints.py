"""Checkpoints: what a run has saved, and what can be made of it."""

from raylm.widgets.panels import Panel


class Checkpoints(Panel):
    """The checkpoints of a run: compare, resume, fork, export, verify, delete."""

    title = "Checkpoints"
    screen = "checkpoints"
    position = 40
