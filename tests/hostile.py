"""Texts that do something where they are taken for more than text, and how each looks where it is text.

Each sets `window.__pwned` where a page runs it, asks a foreign host where a page loads it, changes what a
terminal shows, or is no text that every transport can carry.
"""

import json
from html.parser import HTMLParser

from raylm.runs import Lease, MetricsWriter, Run, StepRecord, open_shard_writer
from raylm.runs.read import clean

RUN = "window.__pwned=1"
TEXTS = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    "<iframe srcdoc='<script>parent.__pwned=1</script>'></iframe>",
    f'" autofocus onfocus="{RUN}',
    f"' onmouseover='{RUN}",
    f'"><img src=y onerror={RUN}>',
    f"</script><script>{RUN}</script>",
    f"</style><img src=z onerror={RUN}>",
    f"</textarea></title><svg onload={RUN}>",
    f"<a href='javascript:{RUN}'>a link</a>",
    f"[a link](javascript:{RUN})",
    "![a picture](https://elsewhere.example/p.png)",
    "<img src=https://elsewhere.example/a.png>",
    "<link rel=stylesheet href=//elsewhere.example/b.css>",
    f"<form><button formaction=javascript:{RUN}>go",
    f"<math><mtext></p><mglyph><style><!--</style><img title='--&gt;&lt;img src=w onerror={RUN}&gt;'>",
    f"<noscript><p title='</noscript><img src=v onerror={RUN}>'>",
    f"<div style='width:expression({RUN});background:url(javascript:{RUN})'>",
    f"data:text/html,<script>opener.{RUN}</script>",
    "{{constructor.constructor('window.__pwned=1')()}}${window.__pwned=1}{% raw %}<%= 1 %>",
    "&lt;img src=u onerror=window.__pwned=1&gt; &#60;script&#62;",
    "\x1b[31mred\x1b[2J\x1b]0;a title\x07 and \x9b5n",
    "\x1b]8;;https://elsewhere.example/c\x1b\\a link in a terminal\x1b]8;;\x1b\\",
    "\u202egnp.exe\u202c \u2066one\u2069 \u200f\u061cmarks",
    "a nul \x00, a bell \x07, backspaces \x08\x08, a return \r and an escape \x1b",
    "half a character \ud83d alone",
    "long" * 1500 + f"<img src=t onerror={RUN}>",
)
TOGETHER = " | ".join(TEXTS)
"""All in one text; the long one comes last, where it may be cut."""
WHOLE = tuple(text for text in TEXTS if "\ud83d" not in text)
"""Those that UTF-8 can hold."""
AS_FILES = tuple(text for text in WHOLE if "/" not in text and text.isprintable() and len(text) < 200)
"""Those that may be the name of a file."""
PINS = AS_FILES[:3]
"""What the runs are called that began with the newest checkpoint of `write_told`."""
_LOADS = ("href", "src", "action", "formaction", "data", "background", "xlink:href")

_NAMES = str.maketrans("_/", "  ", "\N{REPLACEMENT CHARACTER}")
_PIECE = 4096  # characters, of which `clean` keeps all


def plain(text: str) -> str:
    """Return a text as a screen shows it, without what screens change of names: case, `_` and `/`."""
    pieces = (clean(text[start : start + _PIECE]) for start in range(0, len(text), _PIECE))
    return "".join(pieces).translate(_NAMES).casefold()


def missing(shown: list[str], wanted: tuple[str, ...] = TEXTS) -> list[str]:
    """Return those texts that none of the pieces of a page holds; of a long one the beginning will do."""
    page = "\n".join(map(plain, shown))
    return [text[:80] for text in wanted if plain(text)[:100] not in page]


class Page(HTMLParser):
    """What a browser would find in a page: its elements, those that do something, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.active: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            is_code = name.startswith("on") or name == "srcdoc"
            if is_code or (name in _LOADS and not str(value).startswith("#")):
                self.active.append(f"{tag} {name}={value}"[:200])

    def handle_data(self, data: str) -> None:
        self.text += data


def write_told(storage: str) -> Run:
    """Write a failed run with texts in its record, events, logs, checkpoints, recipes and files' names."""
    run = Run.create(storage, "20990102-000000-told-0000", {"name": TOGETHER, "git": {"commit": TOGETHER}})
    for launch, step in ((1, 10), (2, 20)):
        lease = Lease.acquire(run, run.claim_launch(_recipe_of(launch), how="here", address=TOGETHER))
        attempt = lease.start_attempt()
        metrics = {"train/loss": 2.0, **{f"eval/{text}": float(launch) for text in WHOLE}}
        writer = MetricsWriter(run, attempt)
        writer.append(StepRecord(step, attempt, step, 1_700_000_000.0 + step, metrics))
        writer.close()
        facts = {"tokens_seen": step, "metrics": metrics, "note": "".join(WHOLE), "attempt": attempt}
        with open_shard_writer(run.checkpoints.staging(step, "a"), "shard.bin") as shard:
            shard.write(b"weights")
        run.checkpoints.commit(step, [shard.entry], facts)
        run.emit("rank0", "checkpoint_saved", step=step)
        lease.release("failed", TOGETHER, mend=TOGETHER)
    for text in TEXTS:
        run.emit("rank0", text, **{text: text})
    config = {"model_type": TOGETHER, "architectures": [TOGETHER]}
    run.folder.write("model/config.json", json.dumps(config).encode())
    lines = "".join(f"{text}\n" for text in TEXTS).encode(errors="replace")
    for name in ("driver-l1", *AS_FILES):
        run.folder.write(f"logs/{name}.log", lines)
    for name in PINS:
        run.folder.write(f"pins/{name}.json", json.dumps({"child": TOGETHER, "step": 20}).encode())
    for name in AS_FILES:
        scores = json.dumps({"task": TOGETHER, "scores": dict.fromkeys(TEXTS, 1.0)})
        run.folder.write(f"evaluations/step-00000020/{name}.json", scores.encode())
    return run


def _recipe_of(launch: int) -> str:
    """Return what two launches differ in; JSON is YAML, whose keys are not as long as the last text."""
    task = {"kind": TOGETHER, "prompt_template": TOGETHER} | dict.fromkeys(TEXTS[:-1], launch)
    filters = [{"kind": f"{text}{launch}"} for text in TEXTS]
    return json.dumps({"name": "told", "task": task, "filters": filters, "plugins": list(TEXTS)})
