"""What the ways of writing share that add one token after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from raylm.config.errors import BadInput
from raylm.engine.generation.beams import Beam, search
from raylm.engine.generation.decoding import Chunk, Decoding
from raylm.engine.generation.sampling import choose, random_numbers
from raylm.engine.generation.writer import Writer
from raylm.engine.generation.written import Written, special_ids

_BATCH = 32  # prompts that advance together


class TokenWriter(Writer):
    """Writes to all prompts in step, a token to each in one forward pass."""

    continues: ClassVar = True

    @abstractmethod
    def logits(self, read: Sequence[Sequence[int]], written: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        """Yield the logits (B, V) of all next tokens; the caller appends one to each of `written`."""

    def read(self, prompts: Sequence[str]) -> list[list[int]]:
        """Return the ids that the model reads; without a prompt, the token that a document follows."""
        ids = [self.tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]
        return [each or [self._end] for each in ids]

    def hidden(self) -> AbstractSet[int]:
        """Return the ids that are no text."""
        return special_ids(self.tokenizer)

    def details(self, prompt: str, text: str) -> Mapping[str, Any]:
        """Return what there is to say of a whole text."""
        del prompt, text
        return {}

    def beam_inputs(self, read: Sequence[int], max_new_tokens: int) -> dict[str, Any]:
        """Return what transformers' search begins with.

        Raises:
            BadInput: the model cannot hold so many tokens.
        """
        context = self.speaker.context
        if context is not None and len(read) + max_new_tokens > context:
            room = context - len(read)
            raise BadInput.one(
                "max_new_tokens",
                f"a search with num_beams stays within the model's {context:,} tokens: the prompt has "
                f"{len(read):,}, and {max_new_tokens:,} more are asked for",
                f"try {room}" if room > 0 else "shorten the prompt",
                code="long",
            )
        return {"input_ids": torch.tensor([read], device=self.model.device)}

    def _written(
        self, prompts: Sequence[str], decoding: Decoding, is_cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        read = self.read(prompts)
        if decoding.num_beams > 1:
            yield from self._searched(prompts, read, decoding, is_cancelled)
            return
        for first in range(0, len(prompts), _BATCH):
            batch = range(first, min(first + _BATCH, len(prompts)))
            yield from self._drawn(batch, prompts, read, decoding, is_cancelled)

    def _drawn(
        self,
        batch: range,
        prompts: Sequence[str],
        read: Sequence[Sequence[int]],
        decoding: Decoding,
        is_cancelled: Callable[[], bool],
    ) -> Iterator[Chunk]:
        lines = [_Line(number, self._begun(read[number]), decoding) for number in batch]
        steps = self.logits([read[number] for number in batch], [line.written.tokens for line in lines])
        for logits in steps:
            for line, scores in zip(lines, logits.float().cpu(), strict=True):
                if line.is_done:
                    line.written.tokens.append(self._end)  # the prompts stay in step
                    continue
                chunk = line.advance(scores, self._end)
                if chunk.is_last:
                    chunk = self._with_details(chunk, prompts[line.number], line.written.text)
                yield chunk
                if is_cancelled():
                    return
            if all(line.is_done for line in lines):
                return

    def _searched(
        self,
        prompts: Sequence[str],
        read: Sequence[Sequence[int]],
        decoding: Decoding,
        is_cancelled: Callable[[], bool],
    ) -> Iterator[Chunk]:
        """Yield one chunk a prompt: which text is the likeliest is known at the end."""
        inputs = [self.beam_inputs(ids, decoding.max_new_tokens) for ids in read]
        for number, prompt in enumerate(prompts):
            beams = search(self.speaker, inputs[number], decoding, is_cancelled)
            if is_cancelled():
                return
            found = [{"text": self._text(read[number], beam), "score": beam.score} for beam in beams]
            best, num_tokens = found[0]["text"], len(beams[0].tokens)
            is_whole = num_tokens < decoding.max_new_tokens
            facts = {"reason": "end" if is_whole else "length", "num_tokens": num_tokens, "beams": found}
            yield self._with_details(Chunk(number, best, is_last=True, details=facts), prompt, best)

    def _with_details(self, chunk: Chunk, prompt: str, text: str) -> Chunk:
        return Chunk(chunk.prompt, chunk.text, chunk.is_last, {**chunk.details, **self.details(prompt, text)})

    def _begun(self, read: Sequence[int]) -> Written:
        return Written(self.tokenizer, self.hidden(), read if self.continues else ())

    def _text(self, read: Sequence[int], beam: Beam) -> str:
        written = self._begun(read)
        for token in beam.tokens:
            written.add(token)
        return written.text

    @property
    def _end(self) -> int:
        return cast("int", self.tokenizer.eos_token_id)


class _Line:
    """A prompt of a batch, and how far it is."""

    def __init__(self, number: int, written: Written, decoding: Decoding) -> None:
        self.number, self.written, self.is_done = number, written, False
        self._decoding = decoding
        self._random_numbers = random_numbers(decoding, number)

    def advance(self, logits: Tensor, end: int) -> Chunk:
        """Choose the next token and return what it adds."""
        token = choose(logits, self._decoding, self._random_numbers)
        num_tokens = len(self.written.tokens)
        if token == end:
            self.is_done = True
            self.written.tokens.append(token)
            return Chunk(self.number, "", is_last=True, details={"reason": "end", "num_tokens": num_tokens})
        piece = self.written.add(token)
        self.is_done = num_tokens + 1 == self._decoding.max_new_tokens
        details = {"reason": "length", "num_tokens": num_tokens + 1} if self.is_done else {}
        return Chunk(self.number, piece, self.is_done, details)
