/** What came of the last action, in one sentence; read aloud where that is wanted. */
import { fill, h, show } from "../dom";
import { icon, type IconName } from "../icons";

export type Tone = "good" | "busy" | "problem";

const ICONS: Record<Tone, IconName> = { good: "finished", busy: "running", problem: "problem" };

export class Said {
  readonly element = h("div", { class: "raylm-said", role: "status", hidden: true });

  say(sentence: string, tone: Tone): void {
    show(this.element, sentence !== "");
    this.element.className = `raylm-said raylm-said-${tone}`;
    if (this.element.textContent !== sentence)
      fill(this.element, sentence ? [icon(ICONS[tone]), h("span", {}, sentence)] : []);
  }

  clear(): void {
    this.say("", "good");
  }
}

/** An error as a person reads it: the cause, then the mend. */
export function sentence(error: unknown): string {
  const { message, mend } = error as { message: string; mend?: string };
  return [message, mend].filter(Boolean).join("; ");
}
