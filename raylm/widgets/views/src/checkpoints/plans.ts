/** The forms: what forking, exporting, resuming and deleting ask first. */
import { h } from "../dom";
import { bytes, count } from "../text";
import type { Checkpoint, RunSummary } from "../types";
import { FormField, type FormPlan } from "./form";

export function forkPlan(
  run: RunSummary,
  { step }: Checkpoint,
  start: (name: string, overrides: string[]) => Promise<void>,
): FormPlan {
  const name = new FormField(
    "New run's name",
    h("input", { type: "text", value: `${run.name}-fork`, spellcheck: "false" }),
    "Letters, digits, dots, dashes and underscores.",
    ["name", "run_id", "child_id"],
  );
  const changes = h("textarea", { rows: 3, spellcheck: "false", placeholder: "train.max_steps=400" });
  const isAtEnd = run.max_steps !== null && step >= run.max_steps;
  if (isAtEnd) changes.value = `train.max_steps=${step * 2}`; // else the fork would end where it begins
  const fields = new FormField(
    "Changed fields",
    changes,
    "One per line, as on the command line: section.field=value. All others stay as they are.",
    [],
  );
  return {
    title: `Fork step ${count(step)}`,
    text: `A new run goes on from step ${count(step)} of ${run.run_id}, which stays as it is.`,
    fields: [name, fields],
    send: "Start fork",
    giveUp: "Cancel",
    onSend: () => start(name.value, lines(fields.value)),
  };
}

export function exportPlan(
  run: RunSummary,
  { step }: Checkpoint,
  start: (folder: string) => Promise<void>,
): FormPlan {
  const folder = new FormField(
    "Folder",
    h("input", { type: "text", value: `${run.name}-step-${step}`, spellcheck: "false" }),
    "A new folder on the kernel's machine; a relative one lies in its working directory.",
    ["folder"],
  );
  return {
    title: `Export step ${count(step)}`,
    text: "Writes weights, tokenizer and model card, as transformers loads them.",
    fields: [folder],
    send: "Start export",
    giveUp: "Cancel",
    onSend: () => start(folder.value),
  };
}

/** A finished run goes on only to a later step. */
export function resumePlan(run: RunSummary, start: (overrides: string[]) => Promise<void>): FormPlan {
  const until = new FormField(
    "Up to step",
    h("input", { type: "text", inputmode: "numeric", value: String((run.max_steps ?? 0) * 2) }),
    `The run has finished at step ${count(run.step ?? 0)}.`,
    ["train.max_steps"],
  );
  return {
    title: "Resume a finished run",
    text: "It goes on from its newest checkpoint.",
    fields: [until],
    send: "Start again",
    giveUp: "Cancel",
    onSend: () => start([`train.max_steps=${until.value}`]),
  };
}

export function deletePlan(run: RunSummary, one: Checkpoint, start: () => Promise<void>): FormPlan {
  return {
    title: `Delete step ${count(one.step)}?`,
    text: `This checkpoint of ${run.run_id} holds ${bytes(one.bytes)}. It cannot be brought back.`,
    fields: [],
    send: "Delete for good",
    giveUp: "Keep",
    isDanger: true,
    onSend: start,
  };
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
