/** The keyboard in a list from which one is chosen. */

/** The place that a key leads to from `index` in a list of so many; null where it is none of the list's keys. */
export function placeByKey(event: KeyboardEvent, index: number, length: number): number | null {
  const target: Record<string, number> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    Home: 0,
    End: length - 1,
  };
  const place = target[event.key];
  if (place === undefined) return null;
  event.preventDefault();
  event.stopPropagation(); // JupyterLab would move to another cell
  return place;
}
