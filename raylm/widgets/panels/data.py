"""Data: what the prepared datasets hold, and how their tokenizers cut a text."""

from raylm.widgets.panels import Panel


class Data(Panel):
    """Sources, licences, filters and lengths of a dataset; its tokenizer at work."""

    title = "Data"
    screen = "data"
    position = 60
