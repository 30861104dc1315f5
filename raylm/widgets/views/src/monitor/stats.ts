/** Small numbers with a spark line each: what a run's health is read from. */
import { fill, h, setText } from "../dom";
import type { Point } from "../types";
import { briefOf, formatOf, measureOf } from "./measures";
import type { Series } from "./series";

const SHOWN = [
  "throughput/tokens_per_second",
  "throughput/mfu",
  "train/grad_norm",
  "train/learning_rate",
  "memory/peak_bytes",
];

const WIDTH = 96;
const HEIGHT = 22;
const POINTS = 80;
const SVG = "http://www.w3.org/2000/svg";

export class Stats {
  readonly element = h("dl", { class: "raylm-stats", "aria-label": "Measures" });
  private readonly tiles = SHOWN.map((key) => {
    const value = h("dd", {}, "–");
    const line = document.createElementNS(SVG, "polyline");
    const label = h("dt", {}, briefOf(measureOf(key)));
    return { key, value, line, root: h("div", {}, label, value, sparkline(line)) };
  });

  constructor() {
    fill(
      this.element,
      this.tiles.map(({ root }) => root),
    );
  }

  update(series: Series): void {
    for (const { key, value, line } of this.tiles) {
      const latest = series.latest(key);
      setText(value, latest === null ? "–" : formatOf(measureOf(key))(latest));
      line.setAttribute("points", points(series.points(key)));
    }
  }
}

function sparkline(line: SVGPolylineElement): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -2 ${WIDTH} ${HEIGHT + 4}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "raylm-spark");
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

function points(curve: Point[]): string {
  const known = curve.filter(([, , , value]) => value !== null);
  const stride = Math.max(1, Math.ceil(known.length / POINTS));
  const values = known
    .filter((_, index) => index % stride === 0)
    .map(([, , , value, mean]) => mean ?? (value as number));
  if (values.length < 2) return "";
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (index: number): string => ((index / (values.length - 1)) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - ((value - low) / span) * HEIGHT).toFixed(1);
  return values.map((value, index) => `${x(index)},${y(value)}`).join(" ");
}
