"""Commands as a person types them, in this process."""

import pytest

from raylm.cli import main


@pytest.fixture
def cli(capsys):
    """Return a function that evaluates a run and gives (exit code, standard output, standard error)."""

    def cli(run, *arguments):
        try:
            main(["evaluate", run.run_id, "--storage", run.storage, *map(str, arguments)])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return cli
