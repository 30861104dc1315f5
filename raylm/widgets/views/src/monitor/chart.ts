/** The live curve: a uPlot canvas in the theme's colours, with a name that says in words what it shows. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { fill, h, setAttribute } from "../dom";
import { measure, short } from "../text";
import { onThemeChange, palette, type Palette } from "../theme";
import { smoothed, type Series } from "./series";

export interface ChartOptions {
  isLog: boolean;
  isSmooth: boolean;
  axis: "step" | "tokens_seen";
}

const SMOOTHING = 0.8;
const HEIGHT = 260;

export class Chart {
  private readonly canvas = h("div", {
    class: "raylm-canvas",
    role: "img",
    "aria-label": "Chart of the loss: no value yet",
  });
  private readonly legend = h("div", { class: "raylm-legend" });
  readonly element = h("div", { class: "raylm-chart" }, this.legend, this.canvas);
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData = [[], [], [], []];
  private readonly endTheme = onThemeChange(() => this.rebuild());
  private readonly resizes = new ResizeObserver(() => this.resize());

  constructor(private options: ChartOptions) {
    this.resizes.observe(this.canvas);
  }

  update(series: Series, options: ChartOptions): void {
    const isRebuilt = options.isLog !== this.options.isLog || options.axis !== this.options.axis;
    this.options = { ...options };
    const train = series.column("train/loss");
    const line = options.isSmooth ? smoothed(train, SMOOTHING) : train;
    const raw = options.isSmooth ? train : train.map(() => null);
    this.data = [series.column(options.axis) as number[], raw, line, series.column("eval/loss")];
    setAttribute(this.canvas, "aria-label", description(series));
    if (isRebuilt || !this.plot) this.rebuild();
    else this.plot.setData(this.data);
    this.showLegend(null);
  }

  close(): void {
    this.endTheme();
    this.resizes.disconnect();
    this.plot?.destroy();
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = null;
    if (this.canvas.clientWidth === 0) return; // not on the page yet: the resize that follows draws
    this.plot = new uPlot(this.plotOptions(palette()), this.data, this.canvas);
  }

  private resize(): void {
    if (!this.plot) this.rebuild();
    else if (this.canvas.clientWidth > 0)
      this.plot.setSize({ width: this.canvas.clientWidth, height: HEIGHT });
  }

  private plotOptions(colours: Palette): uPlot.Options {
    const font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    const axis = {
      stroke: colours.muted,
      font,
      grid: { stroke: colours.grid, width: 0.5 },
      ticks: { show: false },
    };
    const number = (_: uPlot, splits: number[]): string[] =>
      splits.map((split) => (split === null ? "" : short(split)));
    return {
      width: this.canvas.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { time: false }, y: this.options.isLog ? { distr: 3 } : { range: padded } },
      axes: [
        { ...axis, values: number, size: 24 },
        {
          ...axis,
          size: 52,
          values: (_, splits) => splits.map((split) => (split === null ? "" : tick(split))),
        },
      ],
      series: [
        {},
        { stroke: colours.train, alpha: 0.28, width: 1, points: { show: false } },
        { stroke: colours.train, width: 1.75, points: { show: false }, spanGaps: true },
        {
          stroke: colours.evaluate,
          width: 1.5,
          dash: [5, 4],
          spanGaps: true,
          points: { show: true, size: 6, fill: colours.surface },
        },
      ],
      hooks: { setCursor: [(plot) => this.showLegend(plot.cursor.idx ?? null)] },
    };
  }

  /** The values under the cursor, or the newest ones. */
  private showLegend(index: number | null): void {
    const at = (column: number): number | null => {
      const values = this.data[column] as (number | null)[];
      return index === null ? (values.findLast((value) => value !== null) ?? null) : (values[index] ?? null);
    };
    const position =
      index === null ? "" : `${this.options.axis === "step" ? "step" : "tokens"} ${short(at(0) ?? 0)}`;
    fill(this.legend, [
      h("span", { class: "raylm-key raylm-key-train" }, "train"),
      h("b", {}, measure(at(2))),
      h("span", { class: "raylm-key raylm-key-eval" }, "eval"),
      h("b", {}, measure(at(3))),
      h("span", { class: "raylm-muted" }, position),
    ]);
  }
}

function description(series: Series): string {
  const train = series.latest("train/loss");
  const evaluation = series.latest("eval/loss");
  const parts = [
    train === null ? "no value yet" : `train ${measure(train)} at step ${series.rows.at(-1)?.step}`,
    evaluation === null ? "" : `eval ${measure(evaluation)}`,
  ];
  return `Chart of the loss: ${parts.filter(Boolean).join(", ")}`;
}

function padded(_: uPlot, low: number, high: number): [number, number] {
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

function tick(value: number): string {
  return String(Number(value.toPrecision(3)));
}
