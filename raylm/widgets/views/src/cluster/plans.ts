/** The forms: what connecting, stopping and removing ask first. */
import { FormField, type FormPlan } from "../checkpoints/form";
import { h } from "../dom";
import type { ClusterJob } from "./answers";

const MOST_NAMED = 6;

export function connectPlan(add: (values: Record<string, string>) => Promise<void>): FormPlan {
  const text = (placeholder: string): HTMLInputElement =>
    h("input", { type: "text", placeholder, spellcheck: "false", autocomplete: "off" });
  const name = new FormField("Name", text("lab"), "A name of your choice: letters, digits, . _ -", ["name"]);
  const address = new FormField(
    "Address",
    text("https://ray.example.org"),
    "The URL of the cluster's dashboard, such as http://127.0.0.1:8265.",
    ["address"],
  );
  const token = new FormField(
    "Token file",
    text("~/.config/raylm/lab.token"),
    "Where the cluster wants a token: a file with it, on this server, that only you can read.",
    ["token_path"],
  );
  return {
    title: "Connect to a cluster",
    text: "It is put on your list. Jobs and tokens are sent to clusters on it and to no other.",
    fields: [name, address, token],
    send: "Add and connect",
    giveUp: "Cancel",
    onSend: () => add({ name: name.value, address: address.value, token_path: token.value }),
  };
}

/** Of a cluster that does not answer nobody knows what it works on. */
export function stopPlan(jobs: ClusterJob[], isSilent: boolean, stop: () => Promise<void>): FormPlan {
  const names = jobs.slice(0, MOST_NAMED).map(({ run_id, job_id }) => run_id ?? job_id);
  const more = jobs.length > names.length ? ` and ${jobs.length - names.length} more` : "";
  const cut = `Work that runs on it is cut off: ${names.join(", ")}${more}. Runs can be resumed from their last checkpoint.`;
  const silent = "It does not answer, so that nobody knows whether jobs run on it. They would be cut off.";
  return {
    title: "Stop the local cluster?",
    text:
      jobs.length > 0 ? cut : isSilent ? silent : "No job runs on it. It can be started again at any time.",
    fields: [],
    send: jobs.length > 0 ? "Stop it and its jobs" : "Stop the cluster",
    giveUp: "Keep",
    isDanger: true,
    onSend: stop,
  };
}

export function removePlan(name: string, remove: () => Promise<void>): FormPlan {
  return {
    title: `Remove ${name} from your list?`,
    text: "The cluster, its jobs and its runs stay as they are.",
    fields: [],
    send: "Remove it",
    giveUp: "Keep",
    isDanger: true,
    onSend: remove,
  };
}
