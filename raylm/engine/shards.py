"""torch's distributed checkpoint format: every process streams its shards straight to the run's storage.

`.metadata` is a pickle, which can run code when read. It is read only after the manifest has verified, and
through an unpickler that knows nothing but the classes of the format.
"""

from __future__ import annotations

import io
import pickle  # noqa: TID251 - see above
from collections import defaultdict
from enum import Enum
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import _StorageInfo  # pyright: ignore[reportPrivateUsage]
from torch.distributed.checkpoint.metadata import Metadata
from torch.distributed.checkpoint.planner import (
    LoadItemType,
    LoadPlan,
    LoadPlanner,
    ReadItem,
    SavePlan,
    SavePlanner,
    WriteItem,
    WriteItemType,
)
from torch.distributed.checkpoint.storage import StorageReader, StorageWriter, WriteResult
from torch.futures import Future

from raylm.config.errors import BadInput
from raylm.runs.folder import Folder
from raylm.runs.manifest import FileEntry
from raylm.runs.shards import open_shard_writer

METADATA = ".metadata"
METADATA_NAMES = frozenset(
    {
        ("torch.distributed.checkpoint.metadata", "Metadata"),
        ("torch.distributed.checkpoint.metadata", "MetadataIndex"),
        ("torch.distributed.checkpoint.metadata", "TensorStorageMetadata"),
        ("torch.distributed.checkpoint.metadata", "BytesStorageMetadata"),
        ("torch.distributed.checkpoint.metadata", "ChunkStorageMetadata"),
        ("torch.distributed.checkpoint.metadata", "TensorProperties"),
        ("torch.distributed.checkpoint.metadata", "StorageMeta"),
        ("torch.distributed.checkpoint.metadata", "_MEM_FORMAT_ENCODING"),
        ("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
        ("torch", "Size"),
        ("torch.serialization", "_get_layout"),
    }
)
# What unpickling raises on bytes that are no pickle, or not the one expected.
UNREADABLE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
TAMPERED = "do not use this checkpoint: it may have been tampered with"


class ShardWriter(StorageWriter):
    """Writes this process's tensors into one file of a checkpoint's folder."""

    def __init__(self, folder: Folder, rank: int) -> None:
        self.entries: list[FileEntry] = []
        self._folder = folder
        self._rank = rank

    def reset(self, checkpoint_id: Any = None) -> None:
        """Nothing to reset: a writer serves one checkpoint."""

    def set_up_storage_writer(self, is_coordinator: bool, *args: Any, **kwargs: Any) -> None:  # noqa: FBT001
        """The folder is there already."""

    def prepare_local_plan(self, plan: SavePlan) -> SavePlan:
        """Write what the planner says."""
        return plan

    def prepare_global_plan(self, plans: list[SavePlan]) -> list[SavePlan]:
        """Write what the planner says."""
        return plans

    def write_data(self, plan: SavePlan, planner: SavePlanner) -> Future[list[WriteResult]]:
        """Stream the plan's items to storage, one after another."""
        name = f"rank-{self._rank:05d}.distcp"
        with open_shard_writer(self._folder, name) as shard:
            results = [_write_item(shard, name, item, planner.resolve_data(item)) for item in plan.items]
        self.entries.append(shard.entry)
        return _done(results)

    def finish(self, metadata: Metadata, results: list[list[WriteResult]]) -> None:
        """Write the index of all processes' shards; called on rank 0 only."""
        metadata.storage_data = {result.index: result.storage_data for part in results for result in part}
        with open_shard_writer(self._folder, METADATA) as shard:
            shard.write(pickle.dumps(metadata))
        self.entries.append(shard.entry)

    @classmethod
    def validate_checkpoint_id(cls, checkpoint_id: Any) -> bool:  # noqa: ARG003
        """Only this class's own folder is written."""
        return True


class ShardReader(StorageReader):
    """Reads a checkpoint whose manifest has verified, whatever the number of processes that wrote it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._where: dict[Any, _StorageInfo] = {}

    def reset(self, checkpoint_id: Any = None) -> None:
        """Nothing to reset: a reader serves one checkpoint."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:  # noqa: ARG002
        """Return the index of all shards.

        Raises:
            BadInput: It is none, though the manifest has verified.
        """
        try:
            found = _MetadataUnpickler(io.BytesIO(self._folder.read(METADATA))).load()
        except UNREADABLE:
            found = None
        if not isinstance(found, Metadata):
            raise BadInput.one(METADATA, "is not the index of a checkpoint", TAMPERED)
        return found

    def set_up_storage_reader(
        self,
        metadata: Metadata,
        is_coordinator: bool,  # noqa: ARG002, FBT001
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Remember where each tensor lies."""
        self._where = metadata.storage_data or {}

    def prepare_local_plan(self, plan: LoadPlan) -> LoadPlan:
        """Read what the planner says."""
        return plan

    def prepare_global_plan(self, plans: list[LoadPlan]) -> list[LoadPlan]:
        """Read what the planner says."""
        return plans

    def read_data(self, plan: LoadPlan, planner: LoadPlanner) -> Future[None]:
        """Copy each asked part of a tensor into its place."""
        by_file: defaultdict[str, list[ReadItem]] = defaultdict(list)
        for item in plan.items:
            by_file[self._where[item.storage_index].relative_path].append(item)
        for name, items in by_file.items():
            with self._folder.reader(name) as file:
                for item in items:
                    where = self._where[item.storage_index]
                    file.seek(where.offset)
                    _place(item, name, io.BytesIO(file.read(where.length)), planner)
        return _done(None)

    @classmethod
    def validate_checkpoint_id(cls, checkpoint_id: Any) -> bool:  # noqa: ARG003
        """Only this class's own folder is read."""
        return True


class _MetadataUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        is_dtype = module_name == "torch" and isinstance(getattr(torch, global_name, None), torch.dtype)
        if is_dtype or (module_name, global_name) in METADATA_NAMES:
            return super().find_class(module_name, global_name)
        if (module_name, global_name) == ("builtins", "getattr"):
            return _enum_member
        raise _tampered(f"{module_name}.{global_name}")


def _enum_member(kind: Any, name: str) -> Any:
    """Stand in for `getattr`, by which Python 3.11.0 to 3.11.3 pickle the members of an enumeration."""
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        raise _tampered("builtins.getattr")
    return kind[name]


def _tampered(named: str) -> BadInput:
    return BadInput.one(METADATA, f"names {named}, which no checkpoint index needs", TAMPERED)


def _write_item(shard: Any, name: str, item: WriteItem, data: Tensor | io.BytesIO) -> WriteResult:
    buffer = data
    if isinstance(data, Tensor):
        buffer = io.BytesIO()
        # A view would drag its whole storage along; a clone holds just what it shows.
        torch.save(data.detach().cpu().clone(), buffer)
    assert item.type != WriteItemType.BYTE_IO or isinstance(data, io.BytesIO)
    offset = shard.tell()
    length = shard.write(buffer.getbuffer())  # pyright: ignore[reportAttributeAccessIssue]
    return WriteResult(item.index, length, _StorageInfo(name, offset, length))


def _place(item: ReadItem, name: str, data: io.BytesIO, planner: LoadPlanner) -> None:
    if item.type == LoadItemType.BYTE_IO:
        planner.load_bytes(item, data)
        return
    try:
        tensor = torch.load(data, map_location="cpu", weights_only=True)  # noqa: TID251
    except UNREADABLE:
        raise BadInput.one(name, "does not hold what the index says", TAMPERED) from None
    for dim, (start, length) in enumerate(zip(item.storage_offsets, item.lengths, strict=True)):
        tensor = tensor.narrow(dim, start, length)
    target = planner.resolve_tensor(item).detach()
    target.copy_(tensor)
    planner.commit_tensor(item, target)


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future
