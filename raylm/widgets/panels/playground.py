"""Playground: one prompt, and what two checkpoints make of it."""

from raylm.widgets.panels import Panel


class Playground(Panel):
    """Text, masks, classes, tags or answers from the checkpoints of any run, side by side."""

    title = "Playground"
    screen = "playground"
    position = 50
