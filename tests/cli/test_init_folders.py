"""`raylm init` where something is in the way of what it writes: one line, never a traceback."""

from pathlib import Path

import pytest

from raylm.cli import main


@pytest.mark.parametrize(
    ("options", "in_the_way", "says"),
    [
        ([], "a.yaml", "NAME: a.yaml cannot be written: No such file or directory"),
        ([], "a.txt.gz", "NAME: a.txt.gz cannot be written: No such file or directory"),
        (
            ["--starter", "finetune_qa"],
            "data",
            "NAME: data/books_qa cannot be written: No such file or directory",
        ),
    ],
)
def test_a_starter_that_a_folder_refuses_is_one_line_and_exit_2(
    capsys, tmp_path, monkeypatch, options, in_the_way, says
):
    monkeypatch.chdir(tmp_path)
    Path(in_the_way).symlink_to("missing/folder")
    with pytest.raises(SystemExit) as ended:
        main(["init", "a", *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{says}; choose another folder\n"
