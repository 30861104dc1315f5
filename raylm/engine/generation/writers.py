"""The table of ways of writing: the first that fits a model is its own."""

from __future__ import annotations

from raylm.config.errors import BadInput
from raylm.engine.generation.causal import Causal
from raylm.engine.generation.encoder_decoder import EncoderDecoder
from raylm.engine.generation.fill_mask import FillMask
from raylm.engine.generation.permutation import Permutation
from raylm.engine.generation.writer import Source, Speaker, Writer

WRITERS: tuple[type[Writer], ...] = (EncoderDecoder, Permutation, FillMask, Causal)


def writer_for(source: Source) -> Writer:
    """Return the writer of a model.

    Raises:
        BadInput: the model has no head that writes.
    """
    speaker = Speaker.of(source)
    found = next((writer for writer in WRITERS if writer.fits(speaker.model)), None)
    if found is None:
        message = f"{type(speaker.model).__name__} has no head that writes text or fills masks"
        raise BadInput.one("run", message, "choose the run of a language model", code="head")
    return found(speaker)
