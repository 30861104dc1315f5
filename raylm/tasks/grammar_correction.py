"""Grammar correction: the same text without its errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.data.text_to_text import SourceToTarget, targets
from raylm.metrics.gleu import NUM_GLEU, gleu_metrics, gleu_quality, gleu_stats
from raylm.tasks import AnswerKind, Judged, Record, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class GrammarCorrection(SourceToTarget, Task):
    """Texts with errors and what is right, judged by GLEU."""

    kind: Literal["grammar_correction"] = "grammar_correction"
    target_field: str = "target"
    """The field of the corrected text, or of a list of corrections of which each is right."""
    prompt_template: str = knob("correct: {source}", group="Prompt")
    """What the model is given: a text with {source} in it."""

    objectives: ClassVar[tuple[str, ...]] = ("seq2seq", "supervised")
    answers: ClassVar[AnswerKind] = "text"

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        import numpy as np

        references = [targets(record) for record in records]
        gleu = gleu_stats([record["source"] for record in records], answers, references)
        is_exact = [
            [answer.split() in [target.split() for target in each], 1]
            for answer, each in zip(answers, references, strict=True)
        ]
        stats = np.hstack([gleu, np.array(is_exact, dtype=np.float64).reshape(-1, 2)])
        return Judged(stats, _metrics, gleu_quality(gleu))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        del train
        return {"left unchanged": [record["source"] for record in records]}


def _metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    num_exact, count = (float(number) for number in sums[NUM_GLEU:])
    return gleu_metrics(sums[:NUM_GLEU]) | {"exact_match": num_exact / max(count, 1.0)}
