/**
 * A scroll bar for content taller than a browser can lay out.
 *
 * Browsers cap an element's height (Firefox near 17 million pixels), and a log of 300 MB would be taller.
 * Up to `MAX_PX` a pixel of the scroll bar is a pixel of the content. Beyond, the first and the last
 * million stay so, and those between are stretched. Pure: numbers in, numbers out.
 */
export const MAX_PX = 8_000_000;
const EDGE_PX = 1_000_000;

/** How far the scroll bar reaches, for content that can be scrolled by `virtual` pixels. */
export function physicalRange(virtual: number): number {
  return Math.max(0, Math.min(virtual, MAX_PX));
}

/** Where the scroll bar stands when the content is scrolled to `top` of `range` pixels. */
export function physicalOf(top: number, range: number): number {
  const at = Math.max(0, Math.min(top, range));
  const physical = physicalRange(range);
  if (physical === range || at <= EDGE_PX) {
    return at;
  }
  if (at >= range - EDGE_PX) {
    return physical - (range - at);
  }
  return EDGE_PX + ((at - EDGE_PX) * (physical - 2 * EDGE_PX)) / (range - 2 * EDGE_PX);
}

/** Where the content is when the scroll bar stands at `top`. */
export function virtualOf(top: number, range: number): number {
  const physical = physicalRange(range);
  const at = Math.max(0, Math.min(top, physical));
  if (physical === range || at <= EDGE_PX) {
    return at;
  }
  if (at >= physical - EDGE_PX) {
    return range - (physical - at);
  }
  return EDGE_PX + ((at - EDGE_PX) * (range - 2 * EDGE_PX)) / (physical - 2 * EDGE_PX);
}
