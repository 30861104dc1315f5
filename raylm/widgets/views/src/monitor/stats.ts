/** Small numbers with a spark line each: what a run's health is read from. */
import { fill, h, setText } from "../dom";
import { bytes, measure, short } from "../text";
import type { Series } from "./series";

interface Stat {
  metric: string;
  label: string;
  format(value: number): string;
}

const STATS: Stat[] = [
  { metric: "throughput/tokens_per_second", label: "tokens/s", format: short },
  { metric: "throughput/mfu", label: "MFU", format: (value) => `${(value * 100).toFixed(1)} %` },
  { metric: "train/grad_norm", label: "grad norm", format: measure },
  { metric: "train/learning_rate", label: "learning rate", format: measure },
  { metric: "memory/peak_bytes", label: "peak memory", format: bytes },
];

const WIDTH = 96;
const HEIGHT = 22;
const POINTS = 80;
const SVG = "http://www.w3.org/2000/svg";

export class Stats {
  readonly element = h("dl", { class: "raylm-stats", "aria-label": "Measures" });
  private readonly tiles = STATS.map((stat) => {
    const value = h("dd", {}, "–");
    const line = document.createElementNS(SVG, "polyline");
    return { stat, value, line, root: h("div", {}, h("dt", {}, stat.label), value, sparkline(line)) };
  });

  constructor() {
    fill(
      this.element,
      this.tiles.map(({ root }) => root),
    );
  }

  update(series: Series): void {
    for (const { stat, value, line } of this.tiles) {
      const latest = series.latest(stat.metric);
      setText(value, latest === null ? "–" : stat.format(latest));
      line.setAttribute("points", points(series.column(stat.metric)));
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

function points(column: (number | null)[]): string {
  const known = column.filter((value): value is number => value !== null);
  const stride = Math.max(1, Math.ceil(known.length / POINTS));
  const values = known.filter((_, index) => index % stride === 0);
  if (values.length < 2) return "";
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (index: number): string => ((index / (values.length - 1)) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - ((value - low) / span) * HEIGHT).toFixed(1);
  return values.map((value, index) => `${x(index)},${y(value)}`).join(" ");
}
