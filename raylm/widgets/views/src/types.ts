/** What the store answers; raylm/api/store.py is the other side. */

export type StatusWord =
  "pending" | "running" | "stopping" | "stopped" | "finished" | "failed" | "preempted" | "lost";

export interface Problem {
  field: string;
  message: string;
  mend: string;
  /** What kind of problem it is, for programs. */
  code?: string;
}

export interface Page<T> {
  records: T[];
  cursor: string | null;
}

export interface Check {
  problems: Problem[];
  plan: PlanItem[];
  yaml: string;
  command: string;
  /** Where the recipe would be saved. */
  file: string;
}

/** One number of the plan, ready to show; a plan leaves out what cannot be known yet. */
export interface PlanItem {
  label: string;
  value: string;
}

/** One field: `name` is dotted, `*` standing for an item of a list. */
export interface Field {
  name: string;
  title: string;
  type: string;
  default: unknown;
  required: boolean;
  unit: string;
  group: string;
  help: string;
  advanced: boolean;
  enum?: string[];
  items?: string;
  kinds?: Record<string, Kind>;
}

export interface Kind {
  title: string;
  help: string;
  fields: Field[];
}

export interface Section {
  name: string;
  title: string;
  help: string;
  fields?: Field[];
  kinds?: Record<string, Kind>;
  default?: string | null;
  many?: boolean;
  /** Whether a recipe may leave the section out, which means something of its own. */
  optional?: boolean;
}

export interface Schema {
  sections: Section[];
}

export interface Starter {
  name: string;
  title: string;
  values: Values;
}

/** A run that a recipe can begin from, with the steps of its checkpoints, rising. */
export interface RunOrigin {
  run_id: string;
  name: string;
  steps: number[];
}

export interface RunSummary {
  run_id: string;
  name: string;
  status: StatusWord;
  reason: string;
  mend: string;
  step: number | null;
  max_steps: number | null;
  attempt: number | null;
  loss?: number | null;
  created: number | null;
  updated: number | null;
}

export interface RunDetail extends RunSummary {
  uri: string;
  logs: string[];
}

/** A checkpoint as its run's list shows it. */
export interface Checkpoint {
  step: number;
  state: "good" | "unverified" | "bad";
  reason: string;
  bytes: number;
  digest: string;
  tokens_seen: number | null;
  metrics: Record<string, number | null>;
  saved: number | null;
  pinned_by: string[];
  is_best: boolean;
}

/** Two checkpoints: every list holds the value of the first and of the second. */
export interface CheckpointPair {
  checkpoints: (Checkpoint & { run_id: string; name: string; world_size: number | null })[];
  metrics: Record<string, (number | null)[]>;
  recipe: Record<string, unknown[]>;
  data: Record<string, unknown[]>;
  code: Record<string, unknown[]>;
  environment: Record<string, unknown[]>;
}

export interface ExportState {
  run_id: string;
  step: number;
  path: string;
  state: "writing" | "written" | "failed";
  message: string;
  seconds: number;
  bytes: number;
}

export interface Verification {
  run_id: string;
  step: number;
  state: "reading" | "good" | "bad";
  reason: string;
  seconds: number;
  bytes: number;
  total_bytes: number;
}

/** Step, tokens seen, seconds of training, value (null: a gap), and the mean where it stands for many steps. */
export type Point = [step: number, tokens: number, seconds: number, value: number | null, mean?: number];

/** A run's curve, or what to add to it; raylm/api/history.py says how it is reduced. */
export interface History {
  points: Record<string, Point[]>;
  cursor: string | null;
  step: number;
  is_whole: boolean;
  is_behind: boolean;
}

export interface EventRecord {
  event: string;
  time: number;
  writer?: string;
  [name: string]: unknown;
}

/** A run that has checkpoints. */
export interface AskedRun {
  run_id: string;
  name: string;
  steps: number[];
}

/** What the checkpoints of a run can do. */
export interface Ability {
  run_id: string;
  family: string;
  does: "continue" | "write" | "fill_mask" | "classify" | "tag" | "answer";
  help: string;
  example: string;
  /** What the second text is called; empty where there is none. */
  passage: string;
  fields: Field[];
}

/** A candidate, and how likely it is. */
export interface Candidate {
  text: string;
  probability: number;
}

/** What a text is accompanied by, once it is done. */
export interface Details {
  masks?: Candidate[][];
  labels?: Candidate[];
  words?: { text: string; tag: string }[];
  notes?: string[];
  filled?: string;
  answer?: string;
  probability?: number;
  no_answer?: number;
}

/** What was written behind a cursor. */
export interface Written {
  text: string;
  cursor: number;
  state: "loading" | "waiting" | "writing" | "done" | "failed";
  is_done: boolean;
  figures: { num_tokens?: number; seconds?: number; tokens_per_second?: number | null; reason?: string };
  details: Details;
  error: Problem | null;
}

export type Values = { [name: string]: unknown };
