/** What a metric's key means to a person: `train/loss` is the train curve of the measure `loss`. */
import { bytes, measure, short, words } from "../text";

interface Known {
  title: string;
  brief?: string;
  format(value: number): string;
}

const KNOWN: Record<string, Known> = {
  loss: { title: "Loss", format: measure },
  tokens_per_second: { title: "Tokens per second", brief: "tokens/s", format: short },
  mfu: { title: "MFU", format: (value) => `${(value * 100).toFixed(1)} %` },
  grad_norm: { title: "Gradient norm", brief: "grad norm", format: measure },
  learning_rate: { title: "Learning rate", format: measure },
  peak_bytes: { title: "Peak memory", format: bytes },
};

/** `train/loss` -> `loss`. */
export function measureOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** `train/loss` -> `train`: which of the measure's curves it is. */
export function partOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

export function titleOf(name: string): string {
  const text = words(name);
  return KNOWN[name]?.title ?? text.charAt(0).toUpperCase() + text.slice(1);
}

export function briefOf(name: string): string {
  return KNOWN[name]?.brief ?? titleOf(name).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}

export function formatOf(name: string): (value: number) => string {
  return KNOWN[name]?.format ?? measure;
}

/** The measures among some keys: those a person looks at first come first. */
export function measuresIn(keys: string[]): string[] {
  const found = new Set(keys.map(measureOf));
  const known = Object.keys(KNOWN).filter((name) => found.has(name));
  return [...new Set([...known, ...[...found].sort()])];
}
