"""Writing one dataset: a pass over the text to count, one to learn the tokenizer, one to encode."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from raylm.config.errors import BadInput
from raylm.data.corpus import Corpus, Inventory, Survey
from raylm.data.encode import Encoded, chunks, encode
from raylm.data.index import NAME, Index, SplitIndex
from raylm.data.progress import Meter
from raylm.data.section import DataSection
from raylm.data.split import SPLITS, Piece, pieces, refuse_empty_splits
from raylm.data.tokenizers import Tokenizer, TrainedTokenizer
from raylm.data.writer import SplitWriter, write_file
from raylm.runs.folder import Folder


@dataclass(frozen=True)
class Build:
    """All that a dataset is made from."""

    data: DataSection
    tokenizer: Tokenizer
    corpus: Corpus
    inventory: Inventory
    meter: Meter

    def write(self, folder: Folder, digest: str) -> Index:
        """Write the dataset's files into a folder, the index last.

        Raises:
            BadInput: a source is not text, changes meanwhile, or holds too little.
        """
        survey = self.corpus.survey(self.meter)
        trained = self._learn(survey)
        tally = _Tally([0] * len(survey.sources), dict.fromkeys(SPLITS, 0))
        splits = self._encode(folder, trained, survey, tally)
        if sum(split.num_bytes for split in splits.values()) != survey.num_bytes:
            message = "a file changed while it was read"
            raise BadInput.one("data.sources", message, "prepare again when it is complete", code="changed")
        refuse_empty_splits({name: split.num_tokens for name, split in splits.items()}, self.data, survey)
        contents = {f"tokenizer/{name}": content for name, content in trained.files().items()}
        contents["ledger.json"] = self._ledger(survey, tally)
        index = Index(
            digest=digest,
            dtype=_dtype(trained),
            vocab_size=trained.vocab_size,
            eos_token_id=trained.eos_token_id,
            tokenizer=self.tokenizer.model_dump(mode="json"),
            num_documents=survey.num_documents,
            notes=(*survey.notes, *self.tokenizer.notes(trained), *tally.notes()),
            splits=splits,
            files=tuple(write_file(folder, name, content) for name, content in contents.items()),
        )
        folder.write(NAME, index.to_bytes())
        return index

    def _pieces(self, survey: Survey) -> Iterator[Piece]:
        return pieces(self.corpus.documents(), self.data, survey.num_characters)

    def _learn(self, survey: Survey) -> TrainedTokenizer:
        """Train the tokenizer on the training split; validation text must not shape it."""
        self.meter.begin("learning the tokenizer", survey.num_bytes)
        trained = self.tokenizer.train(self._training_texts(survey))
        self.meter.end()
        return trained

    def _training_texts(self, survey: Survey) -> Iterator[str]:
        for piece in self._pieces(survey):
            for text in chunks(piece.text):
                self.meter.add(len(text.encode()))
                if piece.split == "train":
                    yield text

    def _encode(
        self, folder: Folder, trained: TrainedTokenizer, survey: Survey, tally: _Tally
    ) -> dict[str, SplitIndex]:
        self.meter.begin("encoding", survey.num_bytes)
        dtype = np.dtype(_dtype(trained)).newbyteorder("<")
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(SplitWriter(folder, name, dtype, trained.eos_token_id))
                for name in SPLITS
            }
            for part in tally.count(encode(self._pieces(survey), trained), trained.unk_token_id):
                num_bytes = len(part.text.encode())
                writer = writers[part.piece.split]
                writer.add(part.ids, part.piece.source, num_bytes, is_end=part.is_end)
                self.meter.add(num_bytes)
            indexes = {name: writer.close() for name, writer in writers.items()}
        self.meter.end()
        return indexes

    def _ledger(self, survey: Survey, tally: _Tally) -> bytes:
        """Return what each source gave and under which licence, as JSON."""
        entries = [
            {
                **source.model_dump(mode="json"),
                **asdict(size),
                "num_tokens": num_tokens,
                "files": files,
            }
            for source, size, num_tokens, files in zip(
                self.data.sources, survey.sources, tally.num_tokens, self.inventory, strict=True
            )
        ]
        return json.dumps({"sources": entries}, indent=1, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class _Tally:
    """What is counted while the text is encoded."""

    num_tokens: list[int]
    """By source, ends of text included."""
    num_unknown: dict[str, int]
    """By split."""

    def count(self, parts: Iterable[Encoded], unk_token_id: int | None) -> Iterator[Encoded]:
        """Pass the parts on, counting them."""
        for part in parts:
            self.num_tokens[part.piece.source] += len(part.ids) + part.is_end
            if unk_token_id is not None:
                self.num_unknown[part.piece.split] += int(np.count_nonzero(part.ids == unk_token_id))
            yield part

    def notes(self) -> Iterator[str]:
        for name, count in self.num_unknown.items():
            if count:
                yield f"{name} split: {count:,} tokens are unknown to the tokenizer, which saw only train"


def _dtype(trained: TrainedTokenizer) -> Literal["uint16", "uint32"]:
    return "uint16" if trained.vocab_size <= np.iinfo(np.uint16).max + 1 else "uint32"
