"""How the browser tests look at a screen: with axe, and to take its picture."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

THEMES = ("Light", "Dark")
# No test but a tool: it writes the pictures of docs/ anew, and takes minutes.
takes_pictures = pytest.mark.skipif(
    "RAYLM_PICTURES" not in os.environ, reason="RAYLM_PICTURES=docs/images takes new pictures"
)
_AXE = Path(__file__).with_name("axe.min.js").read_text()


def violations(seen: Locator) -> list[str]:
    """Return what axe finds serious or critical inside an element."""
    seen.page.evaluate(_AXE)
    found = seen.page.evaluate(
        "root => axe.run(root, {resultTypes: ['violations']}).then(answer => answer.violations)",
        seen.element_handle(),
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]


def picture(seen: Locator | Page, name: str) -> None:
    """Write a picture of an element or of the page, once it is at rest, where new pictures are wanted."""
    page = seen if isinstance(seen, Page) else seen.page
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    folder = Path(os.environ["RAYLM_PICTURES"])
    folder.mkdir(parents=True, exist_ok=True)
    # Where the machine's own folders stand is nobody's business.
    hidden = ".raylm-path { visibility: hidden }"
    seen.screenshot(path=folder / name, style=hidden, timeout=120_000)
