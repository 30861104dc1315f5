"""The extension as the Jupyter server loads it: settings, routes, and the end."""

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from raylm.labextension.answers import Answers
from raylm.labextension.handlers import routes


class Raylm(ExtensionApp):
    """Answers the screens of raylm under `/raylm/`. No request can change these settings."""

    name = "raylm"

    storage = Unicode(
        help="Where runs are started and looked for, a path or URI; by default wherever raylm looks."
    ).tag(config=True)
    folder = Unicode(
        help="The folder whose recipe files a person can begin with; by default the server's root."
    ).tag(config=True)

    _answers: Answers | None = None

    def initialize_handlers(self) -> None:
        """Add the routes to the server's application."""
        assert self.serverapp is not None
        self._answers = Answers(self.storage or None, self.folder or self.serverapp.root_dir)
        self.handlers.extend(routes(self._answers))

    async def stop_extension(self) -> None:
        """End what waits for questions; a command that is being carried out comes to its end."""
        if self._answers is not None:
            self._answers.close()
