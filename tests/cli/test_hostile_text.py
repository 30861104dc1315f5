"""What a stranger wrote into a run controls no terminal, whichever command shows it."""

import re

import pytest

from raylm.cli import main
from tests.hostile import WHOLE, missing, write_told

# Controls, characters that reorder text and halves of characters: nothing but a line's end and a tab.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COMMANDS = (
    "runs list",
    "runs show {run}",
    "runs logs {run}",
    "runs logs {run} --events",
    "runs compare {run} {run}",
    "checkpoints list {run}",
    "checkpoints delete {run}@20",
    "runs stop {run}",
    "evaluate {run}@10",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return write_told(str(tmp_path_factory.mktemp("told") / "runs"))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_hands_a_terminal_what_a_run_holds(told, command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAYLM_STORAGE", told.storage)
    with pytest.raises(SystemExit):
        main(command.format(run=told.run_id).split())
    printed = "".join(capsys.readouterr())
    assert printed
    assert OBEYED.search(printed) is None, printed[:2000]


def test_a_log_is_shown_whole_but_for_what_a_terminal_would_obey(told, capsys):
    with pytest.raises(SystemExit):
        main(["runs", "logs", told.run_id, "--storage", told.storage])
    assert missing([capsys.readouterr().out], WHOLE) == []
