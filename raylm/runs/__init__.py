"""The run directory: what a run is on disk, and every way to write and read it."""

from raylm.runs.append import MetricsWriter, next_attempt, seal
from raylm.runs.checkpoints import Checkpoint, Checkpoints
from raylm.runs.folder import Folder
from raylm.runs.lease import Fenced, Lease
from raylm.runs.manifest import Corrupt, FileEntry, Manifest
from raylm.runs.names import check_run_name, make_run_id
from raylm.runs.read import curve, last_step, read
from raylm.runs.records import StepRecord
from raylm.runs.run import AlreadyLaunched, Run
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
    "check_run_name",
    "curve",
    "last_step",
    "make_run_id",
    "next_attempt",
    "open_shard_writer",
    "read",
    "seal",
]
