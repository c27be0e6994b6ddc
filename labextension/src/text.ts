/** Text compared and counted. Pure. */

/** How many characters (code points) the first UTF-16 units of a text are. */
export function characters(text: string, count: number): number {
  return [...text.slice(0, count)].length;
}

/** How many UTF-16 units the first characters (code points) of a text are; the whole when it has fewer. */
export function units(text: string, count: number): number {
  return [...text].slice(0, count).join('').length;
}

/** The one stretch in which two texts differ. */
export function difference(before: string, after: string): { start: number; end: number; text: string } {
  const limit = Math.min(before.length, after.length);
  let start = 0;
  while (start < limit && before[start] === after[start]) {
    start++;
  }
  let same = 0;
  while (same < limit - start && before[before.length - 1 - same] === after[after.length - 1 - same]) {
    same++;
  }
  // Never between the halves of a character outside the basic plane: Yjs would break it.
  const inside = (text: string, at: number): boolean => /[\uDC00-\uDFFF]/.test(text[at] ?? '') && at > 0;
  if (inside(before, start) || inside(after, start)) {
    start--;
  }
  if (same > 0 && inside(before, before.length - same)) {
    same--;
  }
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}
