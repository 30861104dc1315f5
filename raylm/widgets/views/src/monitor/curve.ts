/** The card of the curves: which measure of which runs, over what, how drawn; as a chart or as a table. */
import { fill, h, setText, show, uniqueId } from "../dom";
import { count } from "../text";
import { Chart, type ChartOptions } from "./chart";
import type { Curves } from "./curves";
import { AXES, linesOf, type Axis } from "./lines";
import { measuresIn, titleOf } from "./measures";
import { Table } from "./table";

const SMOOTHINGS: [number, string][] = [
  [0, "none"],
  [0.5, "light"],
  [0.8, "medium"],
  [0.95, "strong"],
  [0.99, "strongest"],
];
const PACES: [number, string][] = [
  [0, "default"],
  [100, "0.1 s"],
  [500, "0.5 s"],
  [2_000, "2 s"],
  [10_000, "10 s"],
];

export interface CurveActions {
  /** Take a run out of the chart. */
  remove(runId: string): void;
  /** Ask this often while a run is running. */
  pace(milliseconds: number): void;
}

export class CurveCard {
  private readonly options: ChartOptions = {
    isLog: false,
    isLogAxis: false,
    smoothing: 0.8,
    axis: "step",
    measure: "loss",
  };
  private readonly measures = h("select", { "aria-label": "Measure", class: "raylm-measure" });
  private readonly isTable = h("input", { type: "checkbox", id: uniqueId("table") });
  private readonly reading = h("p", { class: "raylm-muted", "aria-live": "polite", hidden: true });
  private readonly chart: Chart;
  private readonly table = new Table();
  readonly element: HTMLElement;
  private shown: string | null = null;

  constructor(
    private readonly curves: Curves,
    private readonly actions: CurveActions,
  ) {
    this.chart = new Chart(this.options, (runId) => actions.remove(runId));
    this.element = h(
      "section",
      { class: "raylm-card raylm-curve" },
      this.tools(),
      this.reading,
      this.chart.element,
      this.table.element,
    );
    this.offer();
  }

  draw(shown: string | null = this.shown): void {
    this.shown = shown;
    this.offer();
    const entries = this.curves.all;
    const lines = linesOf(entries, this.options.measure);
    show(this.table.element, this.isTable.checked);
    show(this.chart.element, !this.isTable.checked);
    if (this.isTable.checked) this.table.update(lines, entries, this.options.axis);
    else this.chart.update(lines, shown, this.options);
    const { isBehind, step } = this.curves.main;
    show(this.reading, isBehind);
    setText(this.reading, `A long run, read for the first time: so far up to step ${count(step)}.`);
  }

  close(): void {
    this.chart.close();
  }

  /** The measures that the runs in the chart have; the list is left alone where it has not changed. */
  private offer(): void {
    const found = measuresIn(this.curves.all.flatMap(({ series }) => series.keys));
    const names = found.includes(this.options.measure) ? found : [this.options.measure, ...found];
    if (names.join() === [...this.measures.options].map(({ value }) => value).join()) return;
    fill(
      this.measures,
      names.map((name) => h("option", { value: name }, titleOf(name))),
    );
    this.measures.value = this.options.measure;
  }

  private tools(): HTMLElement {
    this.measures.addEventListener("change", () => {
      this.options.measure = this.measures.value;
      this.draw();
    });
    this.isTable.addEventListener("change", () => this.draw());
    const axes = (Object.keys(AXES) as Axis[]).map((axis): [Axis, string] => [
      axis,
      AXES[axis].title.toLowerCase(),
    ]);
    return h(
      "header",
      {},
      h("h3", { class: "raylm-measure-place" }, this.measures),
      this.toggle("Log scale", "isLog"),
      choice("smooth", SMOOTHINGS, String(this.options.smoothing), (value) => {
        this.options.smoothing = Number(value);
        this.draw();
      }),
      choice("over", axes, this.options.axis, (value) => {
        this.options.axis = value as Axis;
        this.draw();
      }),
      this.toggle("Log x", "isLogAxis"),
      choice("every", PACES, "0", (value) => this.actions.pace(Number(value))),
      h("span", { class: "raylm-tool" }, this.isTable, h("label", { for: this.isTable.id }, "Table")),
    );
  }

  private toggle(text: string, name: "isLog" | "isLogAxis"): HTMLElement {
    const input = h("input", { type: "checkbox", id: uniqueId(name) });
    input.checked = this.options[name];
    input.addEventListener("change", () => {
      this.options[name] = input.checked;
      this.draw();
    });
    return h("span", { class: "raylm-tool" }, input, h("label", { for: input.id }, text));
  }
}

function choice(
  label: string,
  options: [string | number, string][],
  first: string,
  choose: (value: string) => void,
): HTMLElement {
  const id = uniqueId(label);
  const select = h("select", { id }, ...options.map(([value, text]) => h("option", { value }, text)));
  select.value = first;
  select.addEventListener("change", () => choose(select.value));
  return h("span", { class: "raylm-tool" }, h("label", { for: id }, label), select);
}
