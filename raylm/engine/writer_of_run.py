"""What answers a person for a run's checkpoint: its writer, or what speaks for the model of its task."""

from __future__ import annotations

from raylm.engine.answers.spoken import SPEAKING
from raylm.engine.examinee import Examinee
from raylm.engine.generation.writer import Speaker, Writer
from raylm.engine.generation.writers import writer_for
from raylm.engine.restore import restore
from raylm.runs.run import Run


def writer_of_run(run: Run, step: int | None) -> tuple[Writer, int]:
    """Return the writer of a checkpoint, the newest good one when no step is given, and the step.

    Raises:
        BadInput: there is no such checkpoint, it is damaged, or its model has no head that says anything.
    """
    restored = restore(run, step)
    kind = next((kind for kind in SPEAKING if kind.fits(restored.model)), None)
    if kind is None:
        return writer_for(restored), restored.checkpoint.step
    examinee = Examinee.around(run, restored)
    recipe = examinee.recipe
    assert recipe.task is not None, "only the rows of a task teach such a head: a rule says so"
    respondent = examinee.respondent(recipe.task, recipe.objective)
    speaker = Speaker(restored.model, restored.tokenizer, recipe.train.sequence_length)
    return kind(speaker, respondent), restored.checkpoint.step
