/** The chart's numbers as a table, for those who read rather than look. */
import { fill, h } from "../dom";
import { count, measure } from "../text";
import type { Series } from "./series";

const COLUMNS: [string, string][] = [
  ["step", "Step"],
  ["tokens_seen", "Tokens"],
  ["train/loss", "Train loss"],
  ["eval/loss", "Eval loss"],
  ["train/learning_rate", "Learning rate"],
  ["train/grad_norm", "Grad norm"],
  ["throughput/tokens_per_second", "Tokens/s"],
];
const MOST_ROWS = 100;

export class Table {
  private readonly body = h("tbody");
  readonly element = h(
    "div",
    { class: "raylm-table", tabindex: 0, role: "region", "aria-label": "Table of the curve" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...COLUMNS.map(([, title]) => h("th", { scope: "col" }, title)))),
      this.body,
    ),
  );

  /** Newest first; a long curve is shown at even distances, evaluations always. */
  update(series: Series): void {
    const stride = Math.max(1, Math.ceil(series.rows.length / MOST_ROWS));
    const rows = series.rows
      .filter(
        (row, index) =>
          (series.rows.length - 1 - index) % stride === 0 || typeof row["eval/loss"] === "number",
      )
      .reverse();
    fill(
      this.body,
      rows.map((row) => h("tr", {}, ...COLUMNS.map(([metric]) => h("td", {}, cell(metric, row[metric]))))),
    );
  }
}

function cell(metric: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return metric === "step" || metric === "tokens_seen" ? count(value) : measure(value);
}
