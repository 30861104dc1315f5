/** What the store answers about prepared data; raylm/api/questions/data.py is the other side. */

export interface DatasetRow {
  dataset_id: string;
  /** Seconds since 1970; null where it is not known. */
  prepared: number | null;
  sources: string[];
  num_sources: number;
  documents?: number;
  tokens?: number;
  vocab_size?: number;
  tokenizer?: string;
  /** Why it cannot be read; empty where it can. */
  problem: string;
}

export interface DatasetPage {
  rows: DatasetRow[];
  count: number;
}

/** What is looked at: a dataset of the list, or the data of a run. */
export type Key = { dataset_id: string } | { run_id: string };

export interface SourceRow {
  name: string;
  licence: string;
  origin: string;
  retrieved: string;
  read: number;
  documents: number;
  removed: number;
  tokens: number;
  share: number;
}

/** The largest counts by name; of the others, how many names there are. */
export interface Ranked {
  most: { name: string; count: number }[];
  total: number;
  num_others: number;
}

export interface FilterFacts {
  kind: string;
  documents: number | null;
  kept: number | null;
  dropped: Ranked;
  changed: Ranked;
  found: Ranked;
  examples: { action: string; reason: string; excerpt: string; source: string }[];
}

export interface Histogram {
  unit: "tokens" | "characters";
  series: string[];
  buckets: { from: number; to: number; counts: number[] }[];
}

export interface DatasetFacts {
  dataset_id: string | null;
  run_id: string | null;
  /** Whether its files are there; else this is what the run's ledger says. */
  is_whole: boolean;
  uri: string;
  digest: string;
  prepared: number | null;
  documents: number;
  tokens: number;
  splits: { name: string; documents: number; tokens: number; bytes: number }[];
  tokenizer: { kind: string; vocab_size: number };
  sources: SourceRow[];
  num_sources: number;
  earlier: SourceRow[];
  filters: FilterFacts[];
  duplicates: { exact: number | null; near: number | null };
  contaminated: number | null;
  lengths: Histogram[];
  notes: string[];
  report: string;
  runs: string[];
}

export interface SampleDocument {
  source: string;
  number: number;
  text: string;
  num_tokens: number;
  is_cut: boolean;
}

export interface Token {
  id: number;
  token: string;
  text: string;
  /** Of a part of a character, in hexadecimal; then there is no text. */
  bytes: string;
  is_special: boolean;
  is_unknown: boolean;
}

export interface Preview {
  text: string;
  /** The first ones. */
  tokens: Token[];
  num_tokens: number;
  num_characters: number;
  num_bytes: number;
  num_unknown: number;
  has_unknown: boolean;
  /** Whether the ids give the text back; null where no plain text was given. */
  is_same: boolean | null;
  /** Whether special tokens stand around a text where a model reads it. */
  has_frame: boolean;
}
