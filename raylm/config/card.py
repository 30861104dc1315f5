"""What a notebook shows of an object: a few facts, as HTML and as plain text, made safe in this one place."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LONGEST = 300  # characters of one value that are shown

# JupyterLab's own colours, light or dark; elsewhere those of the page.
_STYLES = {
    "card": "display:inline-block;min-width:320px;max-width:720px;padding:10px 14px;line-height:1.45;"
    "border:1px solid var(--jp-border-color1,#9e9e9e);border-radius:4px;"
    "color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color1,transparent);"
    "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px)",
    "head": "display:flex;gap:10px;align-items:center;margin-bottom:6px",
    "title": "font-weight:600",
    "state": "display:inline-flex;gap:5px;padding:0 8px;border:1px solid {color};border-radius:10px",
    "rail": "height:4px;margin:0 0 6px;border-radius:2px;background:var(--jp-layout-color3,#bdbdbd)",
    "bar": "height:4px;width:{percent:.1f}%;border-radius:2px;background:var(--jp-brand-color1,#1976d2)",
    "row": "display:flex;gap:12px;padding:1px 0",
    "label": "flex:0 0 96px;color:var(--jp-ui-font-color2,inherit)",
    "value": "flex:1 1 auto;min-width:0;overflow-wrap:anywhere",
    "command": "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,12px);"
    "color:inherit;background:none;padding:0",
}


@dataclass(frozen=True)
class State:
    """A state in a word, with the sign before it and the colour around it; never by colour alone."""

    word: str
    sign: str = "●"
    color: str = "var(--jp-border-color1,#9e9e9e)"


@dataclass(frozen=True)
class Card:
    """The facts that are shown of one object."""

    title: str
    rows: Sequence[tuple[str, str]]
    """Label and value of each fact; one without a value is left out."""
    state: State | None = None
    progress: float | None = None
    """Share of the work that is done, 0 to 1."""
    commands: Sequence[str] = ()
    """What can be done next, for a shell or a cell."""
    in_line: Sequence[str] = ()
    """The labels of the facts that a single line has room for."""

    def html(self) -> str:
        """Return the card as HTML; whatever the facts hold, nothing of it is markup."""
        parts = [_div("head", _span("title", self.title) + ("" if self.state is None else _pill(self.state)))]
        if self.progress is not None:
            percent = 100 * min(1.0, max(0.0, self.progress))
            parts.append(_div("rail", f'<div style="{_STYLES["bar"].format(percent=percent)}"></div>'))
        parts += [
            _div("row", _span("label", label) + _span("value", value)) for label, value in self._known()
        ]
        if self.commands:
            lines = "<br>".join(
                f'<code style="{_STYLES["command"]}">{_safe(line)}</code>' for line in self.commands
            )
            parts.append(
                _div("row", _span("label", "next") + f'<span style="{_STYLES["value"]}">{lines}</span>')
            )
        return _div("card", "".join(parts))

    def text(self) -> str:
        """Return the card as lines of plain text."""
        rows = self._known()
        width = max((len(label) for label, _ in rows), default=0)
        head = _shown(self.title) + (
            "" if self.state is None else f"  {self.state.sign} {_shown(self.state.word)}"
        )
        return "\n".join([head, *(f"  {label:{width}}  {value}" for label, value in rows)])

    def line(self) -> str:
        """Return the card in one line, for a list of such objects."""
        words = [] if self.state is None else [_shown(self.state.word)]
        words += [f"{label} {value}" for label, value in self._known() if label in self.in_line]
        return f"<{_shown(self.title)}{': ' if words else ''}{', '.join(words)}>"

    def _known(self) -> list[tuple[str, str]]:
        return [(_shown(label), _shown(value)) for label, value in self.rows if value]


class Shown(ABC):
    """What a notebook shows as a card, and a terminal as a line."""

    @abstractmethod
    def _card(self) -> Card:
        """Return the facts to show; only those that are cheap to read."""

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        """Return what a notebook shows (IPython's protocol)."""
        return self._card().html()


def _pill(state: State) -> str:
    sign = f'<span aria-hidden="true">{_safe(state.sign)}</span>'
    return f'<span style="{_STYLES["state"].format(color=state.color)}">{sign} {_safe(state.word)}</span>'


def _div(style: str, inner: str) -> str:
    return f'<div style="{_STYLES[style]}">{inner}</div>'


def _span(style: str, text: str) -> str:
    return f'<span style="{_STYLES[style]}">{_safe(text)}</span>'


def _safe(text: str) -> str:
    return escape(_shown(text))


def _shown(text: str) -> str:
    """Return text without control characters and those that reorder text, cut where it is long."""
    text = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
