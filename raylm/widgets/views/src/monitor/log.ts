/** The end of a log file, with search, following what is written. */
import { fill, h, uniqueId } from "../dom";
import type { Store } from "../store";
import { clean } from "../text";

const MOST_LINES = 500;

interface Line {
  text?: string;
  line?: string;
}

export class LogTail {
  private readonly name = h("select", { "aria-label": "Log file" });
  private readonly search = h("input", {
    type: "search",
    placeholder: "Find in log",
    "aria-label": "Find in log",
  });
  private readonly follow = h("input", { type: "checkbox", id: uniqueId("follow") });
  private readonly text = h("div", {
    class: "raylm-log",
    tabindex: 0,
    role: "log",
    "aria-live": "off",
    "aria-label": "Log",
  });
  readonly element = h(
    "section",
    { class: "raylm-card" },
    h(
      "header",
      {},
      h("h3", {}, "Log"),
      this.name,
      this.search,
      h("span", { class: "raylm-tool" }, this.follow, h("label", { for: this.follow.id }, "Follow")),
    ),
    this.text,
  );
  private lines: string[] = [];
  private cursor: string | null = null;
  private runId = "";
  private isChosen = false;

  constructor(wake: () => void) {
    this.follow.checked = true;
    this.search.addEventListener("input", () => this.draw());
    this.name.addEventListener("change", () => {
      this.isChosen = true;
      this.restart();
      wake();
    });
    this.text.addEventListener("wheel", () => (this.follow.checked = this.isAtEnd()), { passive: true });
  }

  open(runId: string): void {
    this.runId = runId;
    fill(this.name, []);
    this.isChosen = false;
    this.restart();
  }

  /** Read what was added to the file that is shown; true where lines came. */
  async update(store: Store): Promise<boolean> {
    const [runId, name] = [this.runId, this.name.value];
    if (!name) return false;
    const page = await store.read<Line>(runId, `logs/${name}`, this.cursor);
    if (runId !== this.runId || name !== this.name.value) return false;
    this.cursor = page.cursor;
    if (page.records.length === 0) return false;
    this.lines = [...this.lines, ...page.records.map(({ text, line }) => clean(text ?? line))].slice(
      -MOST_LINES,
    );
    this.draw();
    return true;
  }

  /** Take in the run's log files, the most telling first, one a worker; true where another one is shown. */
  offer(names: string[]): boolean {
    const known = [...this.name.options].map(({ value }) => value);
    for (const name of names) if (!known.includes(name)) this.name.append(h("option", { value: name }, name));
    const [best] = names;
    if (this.isChosen || best === undefined || (this.name.value === best && known.includes(best)))
      return false;
    this.name.value = best;
    this.restart();
    return true;
  }

  private restart(): void {
    this.lines = [];
    this.cursor = null;
    this.draw();
  }

  private draw(): void {
    const wanted = this.search.value.toLowerCase();
    const shown = this.lines.filter((line) => line.toLowerCase().includes(wanted));
    const nothing = this.lines.length > 0 ? "No line matches." : "Nothing written yet.";
    fill(
      this.text,
      shown.length > 0
        ? shown.map((line) => h("div", {}, line || " "))
        : [h("div", { class: "raylm-muted" }, nothing)],
    );
    if (this.follow.checked) this.text.scrollTop = this.text.scrollHeight;
  }

  private isAtEnd(): boolean {
    return this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < 40;
  }
}
