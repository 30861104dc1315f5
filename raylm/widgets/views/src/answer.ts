/** What the store answers through either transport, and the refusal in it as an error. */
import { StoreError } from "./store";
import type { Problem } from "./types";

export interface Refusal {
  message: string;
  mend?: string;
  problems?: Problem[];
}

export interface Answer {
  result?: unknown;
  error?: Refusal;
}

export function refusal(error: Refusal): StoreError {
  return new StoreError(error.message, error.mend ?? "", false, error.problems ?? []);
}
