/** Follows one verification until every byte was read: it takes as long as the checkpoint is large. */
import type { Store } from "../store";
import { bytes, count } from "../text";
import type { Verification } from "../types";
import { sentence, type Said } from "./said";

const ASK_EVERY_MS = 1_000;

export class VerificationWatch {
  private followed: Verification | null = null;
  private timer: number | undefined;

  /** `onFound` is told when the state that was found can be read. */
  constructor(
    private readonly store: Store,
    private readonly said: Said,
    private readonly onFound: () => void,
  ) {}

  follow(begun: Verification): void {
    this.followed = begun;
    this.tell(begun);
  }

  /** Say no more of it; it goes on. */
  close(): void {
    this.followed = null;
    window.clearTimeout(this.timer);
  }

  private async ask(): Promise<void> {
    try {
      const all = await this.store.list<Verification>("verifications");
      const mine = all.find(
        ({ run_id, step }) => run_id === this.followed?.run_id && step === this.followed?.step,
      );
      if (mine) this.tell(mine);
      else if (this.followed)
        this.said.say("The verification is not known any more: begin it again.", "problem");
    } catch (error) {
      if (this.followed) this.said.say(`The verification is out of sight: ${sentence(error)}`, "problem");
    }
  }

  private tell(one: Verification): void {
    const step = `Step ${count(one.step)}`;
    window.clearTimeout(this.timer);
    if (one.state === "reading") {
      const far = `${bytes(one.bytes)} of ${bytes(one.total_bytes)} read`;
      this.said.say(`Verifying step ${count(one.step)}: ${far}.`, "busy");
      this.timer = window.setTimeout(() => void this.ask(), ASK_EVERY_MS);
      return;
    }
    if (one.state === "good") this.said.say(`${step} is good: every byte is right.`, "good");
    else this.said.say(`${step} is bad: ${one.reason}`, "problem");
    this.onFound();
  }
}
