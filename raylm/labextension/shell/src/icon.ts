/** The mark of raylm: a falling curve under a ray. */
import { LabIcon } from "@jupyterlab/ui-components";

const CURVE = "M3 4c3 9 7 13 18 14";
const RAYS = "M14 4l2 4M19 5l-2 3M21 10l-3.5-.5";

export const raylmIcon = new LabIcon({
  name: "raylm:mark",
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round">' +
    `<path d="${CURVE}"/><path d="${RAYS}"/></g></svg>`,
});
