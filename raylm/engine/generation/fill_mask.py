"""As BERT does: nothing is added, the masks of a prompt are filled from both sides at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from raylm.config.errors import BadInput
from raylm.engine.generation.blanks import without_space_before
from raylm.engine.generation.decoding import Chunk, Decoding
from raylm.engine.generation.rows import right_padded
from raylm.engine.generation.writer import Writer, name_of, refuse_length

_NEUTRAL = ("[MASK]", "<mask>")  # understood whatever the tokenizer calls it
_BATCH = 32  # prompts in one forward pass


class FillMask(Writer):
    """Every mask is filled as if the others stayed."""

    kind: ClassVar = "fill_mask"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        name = type(model).__name__
        is_masked = name in MODEL_FOR_MASKED_LM_MAPPING_NAMES.values() or name.endswith(
            ("ForMaskedLM", "ForPreTraining")
        )
        return is_masked and model.get_output_embeddings() is not None

    def _written(
        self, prompts: Sequence[str], decoding: Decoding, is_cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        if decoding.num_beams > 1:
            message = f"{type(self.model).__name__} fills masks in one pass: there is nothing to search"
            raise BadInput.one("num_beams", message, "leave it out", code="num_beams")
        texts = [self._prepared(prompt, name_of(i, len(prompts))) for i, prompt in enumerate(prompts)]
        read = [self.tokenizer.encode(text) for text in texts]
        refuse_length(read, self.speaker.context)
        for first in range(0, len(prompts), _BATCH):
            batch = read[first : first + _BATCH]
            for place, logits in enumerate(self._logits(batch)):
                number = first + place
                yield self._filled(number, texts[number], _Blanks(batch[place], logits), decoding)
                if is_cancelled():
                    return

    def _prepared(self, prompt: str, name: str) -> str:
        """Return a prompt in the tokenizer's own words."""
        mask = cast("str | None", self.tokenizer.mask_token)
        if mask is None:
            raise BadInput.one("run", "its tokenizer has no mask token", "choose another run", code="mask")
        for word in _NEUTRAL:
            prompt = prompt.replace(word, mask)
        if mask not in prompt:
            message = "holds no mask, and this model fills masks in"
            mend = f'write {mask} for each word that is wanted, as in "to be or not to {mask}"'
            raise BadInput.one(name, message, mend, code="mask")
        return without_space_before(re.compile(re.escape(mask)), prompt, self.tokenizer)

    @torch.inference_mode()
    def _logits(self, rows: Sequence[Sequence[int]]) -> list[Tensor]:
        """Return the logits (number of masks, V) of each row."""
        ids, mask = right_padded(rows, self.model.device, self.speaker.pad_id())
        output = self.model(input_ids=ids, attention_mask=mask)
        logits = output.logits if "logits" in output else output.prediction_logits
        is_blank = (ids == self.tokenizer.mask_token_id) & (mask > 0)
        return [row[places].float().cpu() for row, places in zip(logits, is_blank, strict=True)]

    def _filled(self, number: int, text: str, blanks: _Blanks, decoding: Decoding) -> Chunk:
        """Return the text with the likeliest tokens in it, and the candidates for each place."""
        parts = text.split(cast("str", self.tokenizer.mask_token))
        ids, candidates = list(blanks.ids), []
        places = [i for i, id_ in enumerate(ids) if id_ == self.tokenizer.mask_token_id]
        for i, (place, logits) in enumerate(zip(places, blanks.logits, strict=True)):
            shares, found = logits.softmax(-1).topk(min(decoding.top_predictions, len(logits)))
            words = [self._word(ids[place - 1] if place else None, id_) for id_ in found.tolist()]
            candidates.append(_listed(words, found.tolist(), shares.tolist()))
            ids[place] = int(found[0])
            parts[i] += words[0] if parts[i] or i else words[0].lstrip()
        details = {"reason": "end", "num_tokens": len(places), "masks": candidates}
        return Chunk(number, "".join(parts), is_last=True, details=details)

    def _word(self, before: int | None, id_: int) -> str:
        """Return the text of a token as it stands behind another: with a space where it begins a word."""
        context = [] if before is None or before in self.tokenizer.all_special_ids else [before]
        shown, both = (cast("str", self.tokenizer.decode(ids)) for ids in (context, [*context, id_]))
        return both[len(shown) :] if both.startswith(shown) else cast("str", self.tokenizer.decode([id_]))


class _Blanks(NamedTuple):
    """A prompt's ids, and what the model says of its masks."""

    ids: Sequence[int]
    logits: Tensor


def _listed(words: Sequence[str], ids: Sequence[int], shares: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {"text": word, "token_id": id_, "probability": share}
        for word, id_, share in zip(words, ids, shares, strict=True)
    ]
