import pytest
from fsspec.implementations.memory import MemoryFileSystem

from raylm.runs import Run, make_run_id, read, remote_files
from raylm.runs.append import MetricsWriter
from raylm.runs.folder import Folder
from raylm.runs.remote_files import RemoteFiles


class Flaky(MemoryFileSystem):
    """An object store that drops each third call, or its answer."""

    protocol = "flaky"
    cachable = False
    calls = 0
    failed = 0

    def _fail_sometimes(self):
        Flaky.calls += 1
        if Flaky.calls % 3 == 0:
            Flaky.failed += 1
            raise OSError(503, "Slow Down")

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        super().pipe_file(path, value, mode=mode, **kwargs)
        self._fail_sometimes()  # the answer is lost, the object is there

    def cat_file(self, path, start=None, end=None, **kwargs):
        self._fail_sometimes()
        return super().cat_file(path, start, end, **kwargs)

    def ls(self, path, detail=True, **kwargs):
        self._fail_sometimes()
        return super().ls(path, detail, **kwargs)


@pytest.fixture
def flaky_run(monkeypatch):
    monkeypatch.setattr(remote_files, "_PAUSES", (0.0, 0.0, 0.0))
    Flaky.calls = Flaky.failed = 0
    path = f"/{make_run_id('flaky')}"
    return Run(Folder(RemoteFiles(Flaky()), f"{path}/run"), path, "run")


def test_a_store_that_fails_now_and_then_loses_nothing_acknowledged(flaky_run, save, record):
    run = flaky_run
    run.folder.create("run.json", b'{"format": 1}')
    assert run.claim_launch("a: 1\n", how="job") == 1
    writer = MetricsWriter(run, 1)
    for step in range(1, 8):
        writer.append(record(step))
        assert save(run, step).state == "good"
        assert run.checkpoints.latest_good()[0].step == step
        run.emit("rank0", "checkpoint_saved", step=step)
    writer.close()
    assert [one["step"] for one in run.events()] == list(range(1, 8))
    assert [one["step"] for one in read(run, "metrics")[0]] == list(range(1, 8))
    assert Flaky.failed > 10


def test_a_claim_whose_answer_was_lost_is_still_ones_own(flaky_run):
    Flaky.calls = 2  # the next put loses its answer
    flaky_run.folder.create("claim", b"mine")
    assert Flaky.failed == 1
    with pytest.raises(FileExistsError):
        flaky_run.folder.create("claim", b"yours")


def test_a_store_that_stays_down_raises(flaky_run, monkeypatch):
    def fail(self):
        raise OSError(503, "Slow Down")

    monkeypatch.setattr(Flaky, "_fail_sometimes", fail)
    with pytest.raises(OSError, match="Slow Down"):
        flaky_run.folder.write("x", b"")
