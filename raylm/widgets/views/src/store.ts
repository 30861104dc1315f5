/** What every screen speaks to: four verbs over one request function, whichever transport carries it. */
import type { Check, Page, Problem, Values } from "./types";

export type Request = (method: string, args: Record<string, unknown>, timeout: number) => Promise<unknown>;

const READ_SECONDS = 15;
const CHECK_SECONDS = 60; // the first one of a model in a folder imports what counts its weights
const COMMAND_SECONDS = 180;
// What starts a run may have to start a cluster first; the server gives up after 900 s, and says so.
const START_SECONDS = 930;
const STARTS = new Set(["launch", "resume", "fork"]);

/** A refusal by the store, or (isDisconnected) no answer from it at all. */
export class StoreError extends Error {
  constructor(
    message: string,
    readonly mend = "",
    readonly isDisconnected = false,
    readonly problems: Problem[] = [],
  ) {
    super(message);
  }
}

export class Store {
  constructor(private readonly request: Request) {}

  get<T>(what: string, args: Record<string, unknown> = {}): Promise<T> {
    return this.request(what, args, READ_SECONDS) as Promise<T>;
  }

  list<T>(what: string, args: Record<string, unknown> = {}): Promise<T[]> {
    return this.request(what, args, READ_SECONDS) as Promise<T[]>;
  }

  /** The records of a stream after an opaque cursor (null: from the start), and the cursor to go on from. */
  read<T>(run_id: string, stream: string, cursor: string | null): Promise<Page<T>> {
    return this.request("read", { run_id, stream, cursor }, READ_SECONDS) as Promise<Page<T>>;
  }

  /** Something that changes the world; never sent twice by the transport. */
  command<T>(name: string, args: Record<string, unknown>): Promise<T> {
    return this.request(name, args, STARTS.has(name) ? START_SECONDS : COMMAND_SECONDS) as Promise<T>;
  }

  check(values: Values, is_deep: boolean): Promise<Check> {
    return this.request(
      "check",
      { values, is_deep },
      is_deep ? COMMAND_SECONDS : CHECK_SECONDS,
    ) as Promise<Check>;
  }
}
