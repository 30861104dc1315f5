"""Writing one dataset: its texts, the tokenizer learned from them, their tokens, and what stands beside."""

from __future__ import annotations

from dataclasses import dataclass

from raylm.config.errors import BadInput
from raylm.data.assemble import Assembled, assemble
from raylm.data.describe import Written, describe
from raylm.data.encode import Encoding, encode, encoded_before, num_overlap, token_dtype
from raylm.data.index import Index
from raylm.data.labels import learn_labels
from raylm.data.learn import learn, trained_tokenizer
from raylm.data.notes import source_notes, split_notes
from raylm.data.split import refuse_empty_splits, wanted_splits
from raylm.data.tally import Reading, Size, SourceFacts, total
from raylm.data.texts import Preparation, Text
from raylm.data.tokenizers import Tokenizer
from raylm.data.workspace import key_of
from raylm.runs.folder import Folder


@dataclass(frozen=True)
class Build:
    """All that a dataset is made from."""

    preparation: Preparation
    tokenizer: Tokenizer

    def write(self, folder: Folder, plan: str) -> Index:
        """Write the dataset's files into a folder, the index last.

        Raises:
            BadInput: a source cannot be read, or holds too little.
        """
        step = self.preparation
        text = step.text()
        key = self._learn(text)
        trained = trained_tokenizer(step.workspace.uri, key)
        labels = () if step.lesson is None else learn_labels(step.lesson.task, text, step.workspace)
        encodings = self._encode(text, key, labels)
        step.meter.begin("writing", text.num_bytes)
        splits = dict.fromkeys(("train", "validation", *wanted_splits(step.data)))
        assembled = assemble(
            encodings, len(step.data.sources), token_dtype(trained), folder, list(splits), step.meter.add
        )
        step.meter.end()
        _refuse_unlearned(assembled)
        refuse_empty_splits(assembled.num_tokens(), step.data, text.blocks)
        overlap = num_overlap(encodings, step.workspace)
        self._refuse_overlap(overlap, assembled)
        notes = (
            *source_notes(step.data, text.extracted),
            *self.tokenizer.notes(trained),
            *split_notes(assembled, overlap),
        )
        targets = None if step.lesson is None else step.lesson.target_dtype
        written = Written(folder, plan, self.tokenizer, trained, assembled, notes, labels, targets)
        sources = self._source_facts(text, assembled)
        return describe(written, sources, step.data.filters, text.filtered.decisions(step.workspace))

    def _learn(self, text: Text) -> str:
        """Return the key of the tokenizer, trained on the training text."""
        step = self.preparation
        step.meter.begin("learning the tokenizer", text.num_bytes)
        key = learn(self.tokenizer, text.blocks, text.rules, step.workspace, step.meter.add)
        step.meter.end()
        return key

    def _encode(self, text: Text, tokenizer: str, labels: tuple[str, ...]) -> list[Encoding]:
        step = self.preparation
        encodings = [
            Encoding(step.workspace.uri, block, rule, tokenizer, step.lesson, labels)
            for block, rule in zip(text.blocks, text.rules, strict=True)
        ]
        there = encoded_before(encodings, step.workspace)
        for _ in step.map("encoding", encode, [task for task in encodings if task.key not in there]):
            pass
        return encodings

    def _refuse_overlap(self, overlap: int, assembled: Assembled) -> None:
        if overlap and self.preparation.data.on_overlap == "fail":
            num_documents = assembled.splits["validation"].num_documents
            message = f"{overlap:,} of {num_documents:,} validation documents are also in train"
            mend = "add the filter exact_duplicates, or set on_overlap: note"
            raise BadInput.one("data.on_overlap", message, mend, code="overlap")

    def _source_facts(self, text: Text, assembled: Assembled) -> list[SourceFacts]:
        data, inventory = self.preparation.data, self.preparation.inventory
        filtering = text.filtered.counts(len(data.sources), len(data.filters))
        return [
            SourceFacts(
                name=name,
                settings=source.model_dump(mode="json"),
                digest=key_of([stored.sha256 for stored in inventory[number]]),
                inputs=len(inventory[number]),
                reading=total(Reading, (part.reading for part in text.extracted[number])),
                raw=total(Size, (part.size for part in text.extracted[number])),
                filtering=filtering[number],
                kept=total(Size, (block.size for block in text.blocks if block.source == number)),
                tokens=assembled.tokens[number],
                documents=assembled.documents[number],
                unlearned=assembled.unlearned[number],
            )
            for number, (name, source) in enumerate(zip(data.source_names(), data.sources, strict=True))
        ]


def _refuse_unlearned(assembled: Assembled) -> None:
    for name, count in assembled.num_unlearned.items():
        if count and not assembled.splits[name].num_tokens:
            message = f"all {count:,} rows of the {name} split are cut off before what is to be learned"
            raise BadInput.one("train.sequence_length", message, "raise it", code="unlearned")
