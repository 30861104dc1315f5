"""The run directory: what a run is on disk, and every way to write and read it."""

from raylm.runs.append import MetricsWriter, next_attempt, seal
from raylm.runs.catalogue import attach, find, list_runs
from raylm.runs.checkpoints import Checkpoint, Checkpoints
from raylm.runs.folder import Folder
from raylm.runs.fork import delete, fork, starting_checkpoint
from raylm.runs.lease import Fenced, Lease
from raylm.runs.manifest import Corrupt, FileEntry, Manifest
from raylm.runs.names import check_run_name, make_run_id
from raylm.runs.read import curve, read
from raylm.runs.records import StepRecord
from raylm.runs.run import AlreadyLaunched, Run
from raylm.runs.segments import last_record
from raylm.runs.shards import ShardWriter, open_shard_writer
from raylm.runs.status import Status

__all__ = [
    "AlreadyLaunched",
    "Checkpoint",
    "Checkpoints",
    "Corrupt",
    "Fenced",
    "FileEntry",
    "Folder",
    "Lease",
    "Manifest",
    "MetricsWriter",
    "Run",
    "ShardWriter",
    "Status",
    "StepRecord",
    "attach",
    "check_run_name",
    "curve",
    "delete",
    "find",
    "fork",
    "last_record",
    "list_runs",
    "make_run_id",
    "next_attempt",
    "open_shard_writer",
    "read",
    "seal",
    "starting_checkpoint",
]
