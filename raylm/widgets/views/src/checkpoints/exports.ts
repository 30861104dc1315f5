/** Follows one export until it is whole or has failed: it takes as long as its weights are large. */
import type { Store } from "../store";
import { bytes, count, duration } from "../text";
import type { ExportState } from "../types";
import { sentence, type Said } from "./said";

const ASK_EVERY_MS = 1_000;

export class ExportWatch {
  private runId = "";
  private path = "";
  private timer: number | undefined;

  constructor(
    private readonly store: Store,
    private readonly said: Said,
  ) {}

  follow(begun: ExportState): void {
    this.runId = begun.run_id;
    this.path = begun.path;
    this.tell(begun);
  }

  /** Follow what is being written of a run, whichever window began it. */
  async find(run_id: string): Promise<void> {
    this.runId = run_id;
    try {
      const all = await this.store.list<ExportState>("exports", { run_id });
      const writing = all.find(({ state }) => state === "writing");
      if (writing && this.runId === run_id && this.path === "") this.follow(writing);
    } catch {
      // The list of checkpoints, asked for at the same time, tells why.
    }
  }

  close(): void {
    this.runId = "";
    this.path = "";
    window.clearTimeout(this.timer);
  }

  private async ask(): Promise<void> {
    try {
      const all = await this.store.list<ExportState>("exports", { run_id: this.runId });
      const mine = all.find(({ path }) => path === this.path);
      if (mine) this.tell(mine);
      else if (this.path)
        this.said.say("The export is not known any more: look whether its folder is there.", "problem");
    } catch (error) {
      if (this.path) this.said.say(`The export is out of sight: ${sentence(error)}`, "problem");
    }
  }

  private tell(one: ExportState): void {
    const where = `step ${count(one.step)} of ${one.run_id}`;
    window.clearTimeout(this.timer);
    if (one.state === "writing") {
      const far = one.bytes > 0 ? `, ${bytes(one.bytes)} written` : "";
      this.said.say(`Exporting ${where}: ${duration(one.seconds)}${far}.`, "busy");
      this.timer = window.setTimeout(() => void this.ask(), ASK_EVERY_MS);
    } else if (one.state === "written")
      this.said.say(`Exported ${where} to ${one.path} (${bytes(one.bytes)}).`, "good");
    else this.said.say(`The export of ${where} failed: ${one.message}`, "problem");
  }
}
