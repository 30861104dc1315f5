/** A small form that opens under the buttons, and goes away when it is sent or given up. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import type { StoreError } from "../store";
import type { Problem } from "../types";
import { sentence } from "./said";

type Input = HTMLInputElement | HTMLTextAreaElement;

/** One labelled input with its help and, where it is wrong, why. */
export class FormField {
  private readonly problem = h("p", {
    class: "raylm-problem",
    role: "alert",
    id: uniqueId("why"),
    hidden: true,
  });
  readonly element: HTMLElement;

  /** `names` are the fields of the store's answer that this input stands for. */
  constructor(
    label: string,
    readonly input: Input,
    help: string,
    private readonly names: string[],
  ) {
    input.id = uniqueId("field");
    const note = h("p", { class: "raylm-muted", id: uniqueId("help") }, help);
    setAttribute(input, "aria-describedby", `${note.id} ${this.problem.id}`);
    input.addEventListener("input", () => this.complain([]));
    this.element = h(
      "div",
      { class: "raylm-ask-field" },
      h("label", { for: input.id }, label),
      input,
      note,
      this.problem,
    );
  }

  get value(): string {
    return this.input.value.trim();
  }

  owns(problem: Problem): boolean {
    return this.names.includes(problem.field);
  }

  complain(problems: Problem[]): void {
    const text = problems.map(({ field, message, mend }) => {
      const cause = this.names[0] === field ? message : `${field}: ${message}`;
      return [cause, mend].filter(Boolean).join("; ");
    });
    setText(this.problem, text.join(" · "));
    show(this.problem, text.length > 0);
    setAttribute(this.input, "aria-invalid", text.length > 0 ? "true" : null);
  }
}

export interface FormPlan {
  title: string;
  /** A sentence under the title. */
  text: string;
  fields: FormField[];
  send: string;
  giveUp: string;
  isDanger?: boolean;
  /** Done when it resolves; a refusal is shown in the form. */
  onSend(): Promise<void>;
}

/** The place where one form at a time is open. */
export class FormPlace {
  readonly element = h("div", { class: "raylm-ask-place" });
  private onGone: () => void = () => {};

  /** `onGone` is told when a person has sent it or given it up, so that the focus has a place to go. */
  open(plan: FormPlan, onGone: () => void): void {
    const problem = h("p", { class: "raylm-problem", role: "alert", hidden: true });
    const send = h(
      "button",
      { type: "submit", class: `raylm-button ${plan.isDanger ? "raylm-danger" : "raylm-primary"}` },
      plan.send,
    );
    const giveUp = h(
      "button",
      { type: "button", class: "raylm-button", onclick: () => this.leave() },
      plan.giveUp,
    );
    const title = h("h3", { id: uniqueId("form") }, plan.title);
    const form = h(
      "form",
      { class: "raylm-ask", "aria-labelledby": title.id, novalidate: true },
      title,
      h("p", { class: "raylm-muted" }, plan.text),
      ...plan.fields.map(({ element }) => element),
      problem,
      h("div", { class: "raylm-actions" }, ...(plan.isDanger ? [giveUp, send] : [send, giveUp])),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send(plan, send, problem);
    });
    form.addEventListener("keydown", (event) => this.onKey(event));
    this.onGone = onGone;
    fill(this.element, [form]);
    (plan.fields[0]?.input ?? giveUp).focus();
  }

  close(): void {
    fill(this.element, []);
  }

  private leave(): void {
    this.close();
    this.onGone();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.leave();
  }

  private async send(plan: FormPlan, button: HTMLButtonElement, problem: HTMLElement): Promise<void> {
    if (button.disabled) return;
    button.disabled = true;
    show(problem, false);
    for (const field of plan.fields) field.complain([]);
    try {
      await plan.onSend();
      if (button.isConnected) this.leave();
    } catch (error) {
      this.complain(plan, error as StoreError, problem);
      button.disabled = false;
    }
  }

  /** Each problem under its field; those of no field, or of a form without any, above the buttons. */
  private complain(plan: FormPlan, error: StoreError, problem: HTMLElement): void {
    const problems = error.problems ?? [];
    const last = plan.fields.at(-1);
    for (const field of plan.fields) {
      const own = problems.filter((one) => field.owns(one));
      const others =
        field === last ? problems.filter((one) => !plan.fields.some((each) => each.owns(one))) : [];
      field.complain([...own, ...others]);
    }
    const isShown = last !== undefined && problems.length > 0;
    setText(problem, isShown ? "" : sentence(error));
    show(problem, !isShown);
    if (isShown) (plan.fields.find(({ input }) => input.getAttribute("aria-invalid")) ?? last).input.focus();
  }
}
