"""Translation: a text in another language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.data.text_to_text import SourceToTarget, targets
from raylm.metrics.overlap import (
    NUM_BLEU,
    BleuTokenize,
    bleu_metrics,
    bleu_stats,
    chrf_metrics,
    chrf_stats,
)
from raylm.tasks import AnswerKind, Judged, Record, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Translation(SourceToTarget, Task):
    """Texts and their translations, judged by BLEU and chrF."""

    kind: Literal["translation"] = "translation"
    prompt_template: str = knob("translate: {source}", group="Prompt")
    """What the model is given, such as "translate English to German: {source}" (Raffel et al. 2020)."""
    max_answer_tokens: int = knob(128, unit="tokens", ge=1, le=10**6)
    """The longest translation that is written."""
    bleu_tokenize: BleuTokenize = knob("13a", advanced=True)
    """How BLEU cuts texts into words, by sacrebleu's names: zh for Chinese, char for other languages that
    part no words, 13a for those that do."""

    objectives: ClassVar[tuple[str, ...]] = ("seq2seq", "supervised")
    answers: ClassVar[AnswerKind] = "text"

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        import numpy as np

        references = [targets(record) for record in records]
        bleu, chrf = bleu_stats(answers, references, self.bleu_tokenize), chrf_stats(answers, references)
        quality = np.array([chrf_metrics(row)["chrf"] for row in chrf])
        return Judged(np.hstack([bleu, chrf]), _metrics, quality)

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        del train
        return {"copy of the source": [record["source"] for record in records]}


def _metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    return bleu_metrics(sums[:NUM_BLEU]) | chrf_metrics(sums[NUM_BLEU:])
