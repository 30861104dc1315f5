"""A Jupyter server that says, besides what it always does, which routes it has and what it has imported.

python server.py FACTS.json [options of jupyter server]: FACTS.json is written again and again.
"""

import json
import sys
import warnings
from pathlib import Path

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import JupyterServerAuthWarning
from tornado.ioloop import PeriodicCallback

HEAVY = ("torch", "transformers", "datasets", "ray")
EVERY_MS = 100


def routes(app: ServerApp) -> list[dict]:
    """Every route of the application whose handler is ours: pattern, handler, and the verbs it answers."""
    rules = [rule for host in app.web_app.default_router.rules for rule in getattr(host.target, "rules", [])]
    return [
        {
            "pattern": rule.matcher.regex.pattern,
            "handler": rule.target.__name__,
            "verbs": [
                verb
                for verb in rule.target.SUPPORTED_METHODS
                if getattr(rule.target, verb.lower()).__module__ != "tornado.web"
            ],
        }
        for rule in rules
        if isinstance(rule.target, type) and rule.target.__module__.startswith("raylm")
    ]


def main() -> None:
    facts = Path(sys.argv[1])
    # Jupyter looks for verbs without a login only where they are to be locked; a warning ends the loading.
    # Then they are as open as they are by default, so that the requests of a test find them.
    warnings.filterwarnings("error", "(?s).*raylm", JupyterServerAuthWarning)
    app = ServerApp.instance()
    app.initialize([*sys.argv[2:], "--ServerApp.allow_unauthenticated_access=False"])
    app.web_app.settings["allow_unauthenticated_access"] = True
    found = routes(app)

    def write() -> None:
        aside = facts.with_suffix(".new")
        imported = [name for name in HEAVY if name in sys.modules]
        aside.write_text(json.dumps({"routes": found, "imported": imported, "modules": len(sys.modules)}))
        aside.replace(facts)

    PeriodicCallback(write, EVERY_MS).start()
    app.start()


if __name__ == "__main__":
    main()
