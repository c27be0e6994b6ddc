/**
 * Finds a command by the name a person sees in the palette.
 *
 * Pure: names in, a choice or the closest names out. It does not know what commands do; which of them ask
 * first is the kernel's policy.
 */
export interface Named {
  readonly id: string;
  readonly label: string;
  readonly enabled: boolean;
}

export type Found =
  | { readonly command: Named }
  | { readonly closest: readonly string[] };

/** Alike enough to be meant, and this much more alike than any other name. */
const NEAR = 0.72;
const MARGIN = 0.08;
const CLOSEST = 3;

/** `Run All Cells…` and `run all cells` are one name. */
export function plain(label: string): string {
  return label
    .toLowerCase()
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function bigrams(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < text.length - 1; i++) {
    const pair = text.slice(i, i + 2);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

/** Sørensen–Dice of letter pairs, 0 to 1: forgives endings, small words and misheard letters. */
function likeness(a: string, b: string): number {
  if (a === b) {
    return 1;
  }
  const left = bigrams(a);
  const right = bigrams(b);
  let shared = 0;
  for (const [pair, count] of left) {
    shared += Math.min(count, right.get(pair) ?? 0);
  }
  const total = a.length + b.length - 2;
  return total > 0 ? (2 * shared) / total : 0;
}

/** Of several commands with one name, the notebook's own comes first, then one that can be used now. */
function best(commands: readonly Named[]): Named {
  const rank = (command: Named): number =>
    Number(!command.enabled) * 2 + Number(!command.id.startsWith('notebook:'));
  return [...commands].sort((a, b) => rank(a) - rank(b))[0]!;
}

export function find(label: string, commands: readonly Named[]): Found {
  const said = plain(label);
  const names = new Map<string, Named[]>();
  for (const command of commands) {
    const name = plain(command.label);
    if (name) {
      names.set(name, [...(names.get(name) ?? []), command]);
    }
  }
  const exact = names.get(said);
  if (exact) {
    return { command: best(exact) };
  }
  const ranked = [...names].map(([name, same]) => ({ same, score: likeness(said, name) }));
  ranked.sort((a, b) => b.score - a.score);
  const [first, second] = ranked;
  if (first && first.score >= NEAR && first.score - (second?.score ?? 0) >= MARGIN) {
    return { command: best(first.same) };
  }
  return { closest: ranked.slice(0, CLOSEST).map(({ same }) => best(same).label) };
}
