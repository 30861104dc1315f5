/** Small line icons, drawn in the colour of the text beside them. A state is told by icon, border and word. */
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  running: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5v3l2 1.5",
  pending: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.3",
  stopping: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M6 6h4v4H6z",
  stopped: "M4 4h8v8H4z",
  finished: "M3 8.5l3.2 3.2L13 4.8",
  failed: "M4 4l8 8M12 4l-8 8",
  preempted: "M3 5l5 3-5 3zM9 5l5 3-5 3z",
  lost: "M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.6M8 12v.1",
  problem: "M8 2.8l6 10.4H2zM8 6.6v3M8 11.4v.1",
  plug: "M5.5 2v3M10.5 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V14",
  good: "M3 8.5l3.2 3.2L13 4.8",
  unverified: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M5.5 8h5",
  bad: "M4 4l8 8M12 4l-8 8",
  pin: "M6 2.5h4M6.7 2.5v4L4.5 9h7L9.3 6.5v-4M8 9v4.5",
  best: "M8 2.5l1.7 3.5 3.8.5-2.8 2.7.7 3.8L8 11.2 4.6 13l.7-3.8L2.5 6.5 6.3 6z",
  alive: "M3 8.5l3.2 3.2L13 4.8",
  starting: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.3",
  none: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11",
  unreachable: "M8 2.8l6 10.4H2zM8 6.6v3M8 11.4v.1",
  empty: "M2 12.5h12M3.5 10l3-3.5 2.2 2L12.5 4",
  add: "M8 3.5v9M3.5 8h9",
  remove: "M4.5 4.5l7 7M11.5 4.5l-7 7",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `raylm-icon raylm-icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
