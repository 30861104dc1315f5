/** The chart's numbers as a table, for those who read rather than look. */
import { fill, h } from "../dom";
import { count, duration } from "../text";
import type { Point } from "../types";
import type { Entry } from "./curves";
import { AXES, nameOf, type Axis, type Line } from "./lines";
import { briefOf, formatOf, measureOf, partOf } from "./measures";

interface Column {
  title: string;
  points: Point[];
  say(point: Point): string;
}

// Of a run alone, beside what the chart shows.
const ALWAYS = [
  "train/loss",
  "eval/loss",
  "train/learning_rate",
  "train/grad_norm",
  "throughput/tokens_per_second",
];
const SAY: Record<Axis, (value: number) => string> = { step: count, tokens: count, seconds: duration };
const MOST_ROWS = 100;

export class Table {
  private readonly head = h("tr", {});
  private readonly body = h("tbody");
  readonly element = h(
    "div",
    { class: "raylm-table", tabindex: 0, role: "region", "aria-label": "Table of the curve" },
    h("table", {}, h("thead", {}, this.head), this.body),
  );

  /** Newest first. A long curve is shown at even distances, each row with the newest value up to there. */
  update(lines: Line[], entries: Entry[], axis: Axis): void {
    const [first] = entries;
    const columns = entries.length === 1 && first ? ofOne(first, lines, axis) : ofMany(lines, entries);
    const { title, index } = AXES[axis];
    fill(
      this.head,
      [title, ...columns.map((column) => column.title)].map((text) => h("th", { scope: "col" }, text)),
    );
    const rows = positions(columns, index);
    const cells = columns.map((column) => told(column, rows, index));
    const lastFirst = [...rows.keys()].reverse();
    fill(
      this.body,
      lastFirst.map((row) =>
        h(
          "tr",
          {},
          h("td", {}, SAY[axis](rows[row] as number)),
          ...cells.map((column) => h("td", {}, column[row])),
        ),
      ),
    );
  }
}

function ofOne(entry: Entry, lines: Line[], axis: Axis): Column[] {
  const { series } = entry;
  const keys = [...new Set([...lines.map(({ key }) => key), ...ALWAYS])];
  const known = keys.filter((key) => series.points(key).length > 0);
  const places = (Object.keys(AXES) as Axis[]).filter((other) => other !== axis);
  const positions = places.map((other) => ({
    title: AXES[other].title,
    points: series.densest(),
    say: (point: Point) => SAY[other](point[AXES[other].index]),
  }));
  return [...positions, ...known.map((key) => column(titled(key), key, series.points(key)))];
}

function ofMany(lines: Line[], entries: Entry[]): Column[] {
  return lines.map(({ entry, key, part, points }) =>
    column(`${nameOf(entry, entries)} ${part} ${briefOf(measureOf(key))}`, key, points),
  );
}

function column(title: string, key: string, points: Point[]): Column {
  const format = formatOf(measureOf(key));
  return { title, points, say: ([, , , value]) => (value === null ? "no number" : format(value)) };
}

function titled(key: string): string {
  const brief = briefOf(measureOf(key));
  const name = measureOf(key) === "loss" ? `${partOf(key)} ${brief}` : brief;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Where the rows stand: a hundred places at even distances, and wherever a sparse curve has a point. */
function positions(columns: Column[], index: 0 | 1 | 2): number[] {
  const all = [...new Set(columns.flatMap(({ points }) => points.map((point) => point[index])))];
  all.sort((one, other) => one - other);
  const stride = Math.max(1, Math.ceil(all.length / MOST_ROWS));
  const sparse = columns.filter(({ points }) => points.length <= MOST_ROWS && points.length < all.length);
  const always = new Set(sparse.flatMap(({ points }) => points.map((point) => point[index])));
  return all.filter((at, place) => (all.length - 1 - place) % stride === 0 || always.has(at));
}

/** A column's text in each row: of its newest point behind the row before. */
function told({ points, say }: Column, rows: number[], index: 0 | 1 | 2): string[] {
  let next = 0;
  return rows.map((row) => {
    let text = "";
    for (; next < points.length; next += 1) {
      const point = points[next] as Point;
      if (point[index] > row) break;
      text = say(point);
    }
    return text;
  });
}
