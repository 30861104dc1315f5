"""Asking trained models: what a checkpoint can do, and what it writes, piece by piece."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, NamedTuple

from raylm.api.questions import Json, Place, Questions
from raylm.config.errors import BadInput
from raylm.config.schema import describe_section
from raylm.config.yaml import parse_yaml
from raylm.engine.generation.decoding import Decoding
from raylm.jobs.helper import CheckpointPlace
from raylm.jobs.helper_pool import shared_pool
from raylm.runs.listing import Listing
from raylm.runs.run import Run
from raylm.runs.saved_steps import SavedSteps

MOST_RUNS = 200  # that a list shows

_DRAWN = ("temperature", "top_p", "top_k", "max_new_tokens", "num_beams", "seed")


class Ability(NamedTuple):
    """What models of a kind do, in words, and what decides how."""

    does: str
    """The way of answering: continue, write, fill_mask, classify, tag or answer."""
    help: str
    """What a person types, and what comes of it."""
    example: str
    fields: tuple[str, ...] = ()
    """Of `Decoding`."""
    passage: str = ""
    """What the second text is called; nothing where there is none."""


_CONTINUES = Ability("continue", "Goes on from the prompt.", "Once upon a time", _DRAWN)
# By what the name of the model's class has in it; the first that fits.
_ABILITIES: Mapping[str, Ability] = {
    "ForSequenceClassification": Ability(
        "classify", "Tells the class of the prompt.", "I enjoyed every minute of it.", ("top_predictions",)
    ),
    "ForTokenClassification": Ability(
        "tag", "Tags each word of the prompt.", "Ada Lovelace was born in London ."
    ),
    "ForQuestionAnswering": Ability(
        "answer",
        "Looks for the answer to the prompt, a question, in the passage.",
        "Who wrote the first program?",
        passage="Passage",
    ),
    "ForMaskedLM": Ability(
        "fill_mask",
        "Fills in the masks of the prompt: write [MASK] for each word that is wanted.",
        "to be or not to [MASK]",
        ("top_predictions",),
    ),
    "ForConditionalGeneration": Ability("write", "Writes an answer to the prompt.", "", _DRAWN),
}
_ABILITIES = {**_ABILITIES, "ForPreTraining": _ABILITIES["ForMaskedLM"]}
_SPANS = "Fills in the spans of the prompt: write <extra_id_0>, <extra_id_1> ... where words are missing."


class Playground(Questions):
    """The questions of the playground. The weights are in processes of their own: see `raylm.jobs.helper`."""

    READS: ClassVar = ("playground_runs", "playground", "decoding_problems", "written")
    COMMANDS: ClassVar = ("generate", "interrupt")
    LIGHT: ClassVar = (*READS, *COMMANDS)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._listing = Listing()
        self._saved = SavedSteps()

    def playground_runs(self) -> list[Json]:
        """Return the newest runs that have a checkpoint: {"run_id", "name", "steps"}, newest first."""
        runs = self._listing.newest(self.place.storages(), MOST_RUNS)
        found = ((run, self._saved.of(run)) for run in runs)
        return [{"run_id": run.run_id, "name": run.name, "steps": steps} for run, steps in found if steps]

    def playground(self, run_id: str) -> Json:
        """Return what a run's checkpoints can do, and the fields of a form that decide how.

        Of it "steps" are those of the checkpoints, "family" the model's, "does" one of `Ability.does`;
        "help", "example" and "passage" say what to type; a field is as in `Store.schema`.
        """
        run = self.place.find(run_id)
        config, task = _json(run, "model/config.json"), _section(run, "task")
        ability = _ability(config, task, _section(run, "objective").get("kind", ""))
        described = {field["name"]: field for field in describe_section(Decoding)}
        return {
            "run_id": run.run_id,
            "name": run.name,
            "steps": run.checkpoints.steps(),
            "family": config.get("model_type", ""),
            "task": task.get("kind"),
            "does": ability.does,
            "help": ability.help,
            "example": ability.example,
            "passage": ability.passage,
            "fields": [described[name] for name in ability.fields],
        }

    def decoding_problems(self, decoding: Json) -> list[Json]:
        """Return what is wrong with the fields of a form, each at its field; nothing where all are right."""
        try:
            Decoding.checked(decoding)
        except BadInput as error:
            return [asdict(one) for one in error.problems]
        return []

    def generate(self, run_id: str, step: int, prompt: str, decoding: Json) -> Json:
        """Have a checkpoint write to a prompt and return {"writing_id"} at once; `decoding` has its fields.

        Raises:
            BadInput: there is no such checkpoint, or one problem for each field that is not right.
        """
        run = self.place.find(run_id)
        if not isinstance(prompt, str):
            raise BadInput.one("prompt", "must be text", "give a text")
        checked = Decoding.checked(decoding)
        if step not in (steps := run.checkpoints.steps()):
            listed = ", ".join(map(str, steps)) or "none"
            raise BadInput.one("step", f"{run.run_id} has no checkpoint {step}", f"there are: {listed}")
        checkpoint = CheckpointPlace(run.uri, run.storage, step)
        return {"writing_id": shared_pool().ask(checkpoint, prompt, checked.model_dump(mode="json"))}

    def written(self, writing_id: str, cursor: int = 0) -> Json:
        """Return what was written behind the cursor, and how far it is: see `raylm.jobs.writing`."""
        return shared_pool().written(writing_id, cursor)

    def interrupt(self, writing_id: str) -> Json:
        """Write no more to a prompt; what was written stays."""
        shared_pool().interrupt(writing_id)
        return {"writing_id": writing_id}


def _ability(config: Json, task: Json, objective: str) -> Ability:
    name = next(iter(config.get("architectures") or []), "")
    found = next((ability for part, ability in _ABILITIES.items() if part in name), _CONTINUES)
    if found.does == "classify" and task.get("pair_field"):
        return found._replace(help="Tells the class of two texts: prompt and passage.", passage="Second text")
    if objective == "span_corruption":
        return found._replace(help=_SPANS, example="to be or <extra_id_0> to be")
    if template := task.get("prompt_template"):
        return found._replace(help=f"{found.help} It was trained on prompts like this one.", example=template)
    return found


def _json(run: Run, name: str) -> Json:
    """Return a file of the run; nothing where there is none yet."""
    try:
        found = json.loads(run.folder.read(name))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _section(run: Run, name: str) -> Json:
    """Return a section of the run's recipe as it stands there: what the recipe names may be gone by now."""
    try:
        found: Any = parse_yaml(run.recipe_yaml(), "recipe.yaml").values.get(name)
    except BadInput:
        return {}
    return found if isinstance(found, dict) else {}
