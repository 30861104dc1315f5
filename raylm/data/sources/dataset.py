"""Datasets of the `datasets` library: from the hub, from a folder, or as `save_to_disk` wrote them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean
from raylm.config.sections import knob
from raylm.data.files import file_digest, files_below, missing
from raylm.data.records import RowText
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_BATCH_ROWS = 256
_PROBE_SECONDS = 10
_NAMES = re.compile(r"'([^']+)'")


class Dataset(RowSource, Source):
    """Anything that `datasets.load_dataset` reads without running code of the dataset's own."""

    kind: Literal["dataset"] = "dataset"
    path: str = knob(min_length=1)
    """Name on the Hugging Face hub, such as rajpurkar/squad; or a folder of data files, or one that
    `save_to_disk` wrote."""
    config: str | None = None
    """Which of the dataset's configurations, where it has several."""
    split_name: str = "train"
    """Which of the dataset's splits."""
    revision: str | None = knob(None, advanced=True)
    """Branch, tag or commit on the hub; unset: the newest."""
    streaming: bool = knob(default=False, advanced=True)
    """Read from the hub row by row, without keeping a copy on this machine."""

    @field_validator("path")
    @classmethod
    def _not_blank(cls, path: str) -> str:
        if not path.strip():
            raise ValueError("name a dataset or a folder")
        return path

    def inputs(self) -> tuple[Input, ...]:
        name = f"{self.path}:{self.split_name}"
        folder = self._folder()
        if folder is None:
            return (Input(name, 0),)  # the hub is asked when the data is prepared
        files = _data_files(folder)
        if not files:
            raise BadInput.one("path", f"{folder} holds no data", code="empty")
        return (Input(name, sum(item.num_bytes for item in files)),)

    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        del item
        folder = self._folder()
        if folder is None:
            what = [self.path, self._hub_commit()]
        else:
            what = [
                [file.name[len(folder) :], file_digest(file.name, progress)] for file in _data_files(folder)
            ]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def label(self) -> str:
        return Path(self.path).name

    def settings(self) -> dict[str, Any]:
        given = super().settings()
        del given["streaming"]  # the documents are the same
        return given

    def _folder(self) -> str | None:
        """Return the folder on this machine; None for a name on the hub."""
        path = os.path.expanduser(self.path)  # noqa: PTH111
        if Path(path).is_dir():
            inside = Path(
                path, self.split_name
            )  # of several splits that were saved together, the one that is read
            return str(inside if Path(path, "dataset_dict.json").is_file() and inside.is_dir() else path)
        if _HUB_NAME.fullmatch(self.path) and not Path(path).exists():
            return None
        if Path(path).exists():
            mend = "name its folder, or take the kind that reads such a file"
            raise BadInput.one("path", f"{path} is a file", mend, code="no-folder")
        parent = Path(path).parent
        raise missing(path, os.listdir(parent) if parent.is_dir() else None)  # noqa: PTH208

    def _hub_commit(self) -> str:
        """Return the commit that the hub would give now, or the one that was kept here when it is offline."""
        import datasets
        from huggingface_hub import HfApi
        from huggingface_hub.constants import HF_HUB_OFFLINE

        with self._explained():
            if HF_HUB_OFFLINE:
                return str(datasets.load_dataset_builder(self.path, self.config, revision=self.revision).hash)
            found = HfApi().dataset_info(self.path, revision=self.revision, timeout=_PROBE_SECONDS)
            return str(found.sha)

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        with self._explained():
            table = self._loaded()
            names = table.column_names
            if names:  # a stream may not know them
                check_columns(maker, names, self.path)
                fields = (name if name in names else name.split(".")[0] for name in maker.names)
                table = table.select_columns(list(dict.fromkeys(fields)))
            number = 0
            for batch in table.iter(_BATCH_ROWS):
                for values in zip(*batch.values(), strict=True):
                    number += 1
                    yield Row(f"{item.name}:{number}", dict(zip(batch, values, strict=True)))

    def _loaded(self) -> Any:
        import datasets

        folder = self._folder()
        if folder is None or not _was_saved(folder):
            return datasets.load_dataset(
                folder or self.path,
                self.config,
                split=self.split_name,
                revision=self.revision,
                streaming=self.streaming,
            )
        saved = datasets.load_from_disk(folder)
        if isinstance(saved, datasets.DatasetDict):
            raise self._no_split([str(name) for name in saved])
        return saved

    def _no_split(self, known: list[str]) -> BadInput:
        message = f"no {self.split_name!r}; splits are {', '.join(known)}"
        return BadInput.one("split_name", message, did_you_mean(self.split_name, known), code="split")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of the library's errors which field is to blame; show no bars of its own meanwhile."""
        import datasets

        was_shown = not datasets.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            yield
        except BadInput:
            raise
        except Exception as error:  # noqa: BLE001 - the library and its readers raise nearly every kind
            raise self._explain(error) from None
        finally:
            if was_shown:
                datasets.enable_progress_bars()

    def _explain(self, error: Exception) -> BadInput:
        why = str(error.__cause__ or error).partition("\n")[0].rstrip(".")
        if "nknown split" in why or "Bad split" in why:
            return self._no_split(_NAMES.findall(why.partition("[")[2]))
        if "BuilderConfig" in why or "Config name" in why:
            known = _NAMES.findall(str(error).partition("[")[2])
            message = f"no {self.config!r}; configurations are {', '.join(known)}"
            return BadInput.one("config", message, did_you_mean(self.config or "", known), code="config")
        if "scripts are no longer supported" in why:
            mend = "ask its authors for Parquet files, or convert it once by hand"
            return BadInput.one("path", f"{self.path} is read by a script of its own", mend, code="script")
        if self._folder() is None:
            return self._explain_hub(error, why)
        return BadInput.one("path", f"{self.path} cannot be read: {why}", code="unreadable")

    def _explain_hub(self, error: Exception, why: str) -> BadInput:
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

        if isinstance(error, RevisionNotFoundError):
            return BadInput.one("revision", f"{self.path} has no {self.revision!r}", code="revision")
        if isinstance(error, RepositoryNotFoundError):
            message = f"{self.path} is no folder here and no dataset on the hub, or is closed to you"
            return BadInput.one(
                "path", message, "check the name; hf auth login for a closed one", code="missing"
            )
        if isinstance(error, HfHubHTTPError):
            return BadInput.one("path", f"the hub refuses {self.path}: {why}", code="hub")
        mend = "download it where there is a connection, then set HF_HUB_OFFLINE=1, or name a folder"
        message = f"{self.path} is no folder here, and the hub cannot be reached ({why})"
        return BadInput.one("path", message, mend, code="offline")


def _was_saved(folder: str) -> bool:
    return Path(folder, "state.json").is_file() or Path(folder, "dataset_dict.json").is_file()


def _data_files(folder: str) -> list[Input]:
    """Return the files of a dataset's folder, without what the library keeps there for itself."""
    return [item for item in files_below(folder) if not Path(item.name).name.startswith("cache-")]
