/** What a launch would be: the plan in one line, the recipe as YAML, the equivalent command. */
import { fill, h, setText, show } from "../dom";
import { icon } from "../icons";
import type { Check, PlanItem, Problem } from "../types";

export class Outcome {
  private readonly plan = h("dl", { class: "raylm-plan", "aria-label": "Plan" });
  private readonly verdict = h("div", { class: "raylm-verdict", role: "status" });
  private readonly yaml = h("pre", { tabindex: 0, "aria-label": "Recipe as YAML" });
  private readonly command = h("pre", { tabindex: 0, "aria-label": "Equivalent command" });
  private readonly file = h("h4", {}, "Recipe");
  readonly element = h(
    "div",
    { class: "raylm-outcome" },
    this.plan,
    this.verdict,
    h(
      "details",
      { class: "raylm-preview" },
      h("summary", {}, "Preview"),
      h("h4", {}, "The same from a shell"),
      this.command,
      this.file,
      this.yaml,
    ),
  );

  /** Show an answer of the store; the plan of the last valid values stays, dimmed, while they are not valid. */
  update(check: Check): void {
    const isValid = check.problems.length === 0;
    this.element.classList.toggle("raylm-dim", !isValid);
    if (!isValid) return;
    fill(this.plan, check.plan.map(planItem));
    setLines(this.yaml, check.yaml);
    setLines(this.command, check.command);
    setText(this.file, check.file ? `Recipe; Save recipe writes it to ${check.file}` : "Recipe");
  }

  /** One sentence beside the buttons. */
  say(sentence: string, isGood: boolean): void {
    this.verdict.classList.toggle("raylm-good", isGood);
    fill(this.verdict, sentence ? [icon(isGood ? "finished" : "problem"), h("span", {}, sentence)] : []);
    show(this.verdict, sentence !== "");
  }

  /** Problems that no field of the form owns (storage, cluster, the recipe as a whole). */
  complain(problems: Problem[]): void {
    if (problems.length === 0) return;
    this.say(
      problems
        .map(({ field, message, mend }) => [`${field} ${message}`.trim(), mend].filter(Boolean).join("; "))
        .join(" · "),
      false,
    );
  }
}

function planItem({ label, value }: PlanItem): HTMLElement {
  return h("div", {}, h("dt", {}, label), h("dd", {}, value));
}

/** Lines are cleaned one by one, because cleaning takes line breaks for controls. */
function setLines(element: HTMLElement, text: string): void {
  fill(
    element,
    text.split("\n").map((line) => {
      const shown = h("div");
      setText(shown, line || " ");
      return shown;
    }),
  );
}
