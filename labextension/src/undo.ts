/**
 * Voice undo: every step remembers the cells it touched, before and after, and where all cells stood.
 *
 * Responsible for recording steps and for taking them back, or doing them again, on a shared notebook
 * model. What a person changed since is theirs: a source that is no longer what the step left is kept.
 * It does not know where steps are stored, nor what a notebook looks like on the screen.
 */
import type { IAttachments, ICell, IOutput } from '@jupyterlab/nbformat';
import type { ISharedCodeCell, ISharedMarkdownCell, ISharedNotebook, SharedCell } from '@jupyter/ydoc';

type SharedNotebookCell = ISharedNotebook['cells'][number];

/** A cell as JSON text; null when there is no such cell. Text compares fast and cannot change by accident. */
type Saved = string | null;

export interface Change {
  readonly before: Saved;
  after: Saved;
}

export interface Step {
  readonly key: string;
  readonly order: { readonly before: readonly string[]; after: readonly string[] };
  readonly cells: Record<string, Change>;
}

/** What moving back or forth came to: the ids that changed, and how many cells a person's edit kept. */
export interface Outcome {
  readonly changed: readonly string[];
  readonly kept: number;
}

/** How a front end does what its own models must hear of first; by default the shared model is changed. */
export interface Hands {
  move(from: number, to: number): void;
  setOutputs(id: string, outputs: readonly IOutput[]): void;
}

export const MAX_STEPS = 50;
/** All steps of a notebook together, in characters of JSON. */
const MAX_CHARS = 16_000_000;

export function idsOf(shared: ISharedNotebook): string[] {
  return shared.cells.map(cell => cell.getId());
}

/** The cells' JSON by id; all of them in one pass, since looking up ids one by one is quadratic. */
function save(shared: ISharedNotebook, ids: ReadonlySet<string>): Map<string, string> {
  const saved = new Map<string, string>();
  for (const cell of shared.cells) {
    const id = cell.getId();
    if (ids.has(id)) {
      saved.set(id, JSON.stringify(cell.toJSON()));
    }
  }
  return saved;
}

/** One change under way: `begin` before it, `finish` after it. */
export interface Recording {
  finish(): void;
}

export class History {
  private done: Step[] = [];
  private undone: Step[] = [];

  constructor(private readonly onChange: () => void = () => undefined) {}

  /** What there is to store: done steps, oldest first, and undone ones. */
  get state(): { done: readonly Step[]; undone: readonly Step[] } {
    return { done: this.done, undone: this.undone };
  }

  restore(state: { done: readonly Step[]; undone: readonly Step[] }): void {
    this.done = [...state.done, ...this.done];
    this.undone = this.done.length === state.done.length ? [...state.undone] : this.undone;
    this.trim();
  }

  /**
   * Remembers how cells are before they are changed.
   *
   * @param key steps with the same key, one after the other, are one step.
   * @param touched ids of the cells that will be changed or removed.
   * @param structure whether cells come, go or move until `finish`, nobody else's among them.
   */
  begin(key: string, shared: ISharedNotebook, touched: readonly string[], structure: boolean): Recording {
    const order = idsOf(shared);
    const last = this.done[this.done.length - 1];
    const step: Step = last?.key === key ? last : { key, order: { before: order, after: order }, cells: {} };
    const fresh = new Set(touched.filter(id => !(id in step.cells)));
    for (const [id, before] of save(shared, fresh)) {
      step.cells[id] = { before, after: before };
    }
    return {
      finish: () => {
        if (structure) {
          const known = new Set(order);
          step.order.after = idsOf(shared);
          for (const id of step.order.after) {
            if (!known.has(id) && !(id in step.cells)) {
              step.cells[id] = { before: null, after: null };
            }
          }
        }
        const after = save(shared, new Set(Object.keys(step.cells)));
        for (const [id, change] of Object.entries(step.cells)) {
          change.after = after.get(id) ?? null;
        }
        this.keep(step);
      }
    };
  }

  /** Makes the notebook's cells those of another one, as one step. */
  replace(key: string, shared: ISharedNotebook, cells: readonly ICell[], hands?: Hands): Outcome {
    const before = idsOf(shared);
    const step: Step = { key, order: { before, after: cells.map(cell => String(cell['id'])) }, cells: {} };
    const now = save(shared, new Set(before));
    const wanted = new Map(cells.map(cell => [String(cell['id']), JSON.stringify(cell)]));
    for (const id of new Set([...before, ...step.order.after])) {
      const change = { before: now.get(id) ?? null, after: wanted.get(id) ?? null };
      if (change.before !== change.after) {
        step.cells[id] = change;
      }
    }
    this.keep(step);
    return apply(shared, step, 'after', hands);
  }

  /** Takes the last step back; null when there is none. */
  undo(shared: ISharedNotebook, hands?: Hands): Outcome | null {
    const step = this.done.pop();
    if (!step) {
      return null;
    }
    this.undone.push(step);
    const outcome = apply(shared, step, 'before', hands);
    this.onChange();
    return outcome;
  }

  /** Does the last undone step again; null when there is none. */
  redo(shared: ISharedNotebook, hands?: Hands): Outcome | null {
    const step = this.undone.pop();
    if (!step) {
      return null;
    }
    this.done.push(step);
    const outcome = apply(shared, step, 'after', hands);
    this.onChange();
    return outcome;
  }

  private keep(step: Step): void {
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      a.length === b.length && a.every((id, i) => id === b[i]);
    const nothing =
      Object.values(step.cells).every(change => change.before === change.after) &&
      same(step.order.before, step.order.after);
    const known = this.done[this.done.length - 1] === step;
    if (nothing && !known) {
      return;
    }
    if (!known) {
      this.done.push(step);
    }
    this.undone = [];
    this.trim();
    this.onChange();
  }

  private trim(): void {
    let chars = 0;
    let kept = 0;
    while (kept < this.done.length && kept < MAX_STEPS) {
      chars += sizeOf(this.done[this.done.length - 1 - kept]!);
      // The newest step stays whatever its size: it is the one that will be taken back.
      if (chars > MAX_CHARS && kept > 0) {
        break;
      }
      kept++;
    }
    this.done = this.done.slice(this.done.length - kept);
  }
}

function sizeOf(step: Step): number {
  return Object.values(step.cells).reduce(
    (sum, change) => sum + (change.before?.length ?? 0) + (change.after?.length ?? 0),
    0
  );
}

/** Brings the cells of a step to how they were on one side of it. */
function apply(shared: ISharedNotebook, step: Step, side: 'before' | 'after', hands?: Hands): Outcome {
  const other = side === 'before' ? 'after' : 'before';
  const order = step.order[side];
  const rank = new Map(order.map((id, index) => [id, index]));
  // In the order in which they will stand, so that each finds the one before it.
  const changes = Object.entries(step.cells).sort(([a], [b]) => (rank.get(a) ?? -1) - (rank.get(b) ?? -1));
  // Inside of a transaction the model shows the cells of before it: their order is kept track of here.
  const cells = new Map(shared.cells.map(cell => [cell.getId(), cell]));
  const list = idsOf(shared);
  const changed: string[] = [];
  const outputs: [id: string, outputs: readonly IOutput[]][] = [];
  let kept = 0;
  shared.transact(() => {
    for (const [id, change] of changes) {
      const target = change[side] === null ? null : (JSON.parse(change[side]) as ICell);
      const expected = change[other] === null ? null : (JSON.parse(change[other]) as ICell);
      const cell = cells.get(id);
      switch (wayTo(target, expected, cell)) {
        case 'keep':
          kept++;
          continue;
        case 'nothing':
          continue;
        case 'remove':
          shared.deleteCell(list.indexOf(id));
          list.splice(list.indexOf(id), 1);
          break;
        case 'insert': {
          const place = placeFor(id, list, order);
          shared.insertCell(place, target as SharedCell.Cell);
          list.splice(place, 0, id);
          break;
        }
        case 'replace':
          shared.deleteCell(list.indexOf(id));
          shared.insertCell(list.indexOf(id), target as SharedCell.Cell);
          break;
        case 'restore':
          if (!restore(cell!, target!, expected, restored => outputs.push([id, restored]))) {
            continue;
          }
      }
      changed.push(id);
    }
  });
  for (const [id, list] of outputs) {
    if (hands) {
      hands.setOutputs(id, list);
    } else {
      (cells.get(id) as ISharedCodeCell).setOutputs([...list]);
    }
  }
  // Each move by itself, for the same reason as above.
  for (const id of arrange(shared, order, step.order[other], hands)) {
    if (!changed.includes(id)) {
      changed.push(id);
    }
  }
  return { changed, kept };
}

type Way = 'nothing' | 'keep' | 'remove' | 'insert' | 'replace' | 'restore';

/** How a cell gets from what it is to what it was; what a person typed or deleted since is kept. */
function wayTo(target: ICell | null, expected: ICell | null, cell: SharedNotebookCell | undefined): Way {
  if (!cell) {
    return target === null ? 'nothing' : expected ? 'keep' : 'insert';
  }
  const untouched = !expected || cell.getSource() === expected.source;
  if (target === null) {
    return untouched ? 'remove' : 'keep';
  }
  if (target.cell_type !== cell.cell_type) {
    return untouched ? 'replace' : 'keep';
  }
  const sourceChanged = target.source !== expected?.source && target.source !== cell.getSource();
  return sourceChanged && !untouched ? 'keep' : 'restore';
}

/** Puts back, field by field, what the step changed, and leaves the other fields to whoever changed them. */
function restore(
  cell: SharedNotebookCell,
  target: ICell,
  expected: ICell | null,
  setOutputs: (outputs: readonly IOutput[]) => void
): boolean {
  const now = cell.toJSON() as ICell;
  const differs = (field: string): boolean => {
    const wanted = JSON.stringify(target[field]);
    return wanted !== JSON.stringify(now[field]) && wanted !== JSON.stringify(expected?.[field]);
  };
  const fields = ['source', 'metadata', 'attachments', 'outputs', 'execution_count'].filter(differs);
  for (const field of fields) {
    switch (field) {
      case 'source':
        cell.setSource(String(target.source));
        break;
      case 'metadata':
        for (const name of Object.keys(now.metadata)) {
          if (!(name in target.metadata)) {
            cell.deleteMetadata(name);
          }
        }
        cell.setMetadata(target.metadata);
        break;
      case 'attachments':
        (cell as ISharedMarkdownCell).setAttachments(target['attachments'] as IAttachments | undefined);
        break;
      case 'outputs':
        setOutputs(target['outputs'] as IOutput[]);
        break;
      case 'execution_count':
        (cell as ISharedCodeCell).execution_count = target['execution_count'] as number | null;
    }
  }
  return fields.length > 0;
}

/** Where a cell that comes back goes: behind the nearest cell that stood before it and is still there. */
function placeFor(id: string, list: readonly string[], order: readonly string[]): number {
  for (let i = order.indexOf(id) - 1; i >= 0; i--) {
    const place = list.indexOf(order[i]!);
    if (place >= 0) {
      return place + 1;
    }
  }
  return 0;
}

/** Moves cells back to the order of `target` if the step moved any; returns those that moved. */
function arrange(
  shared: ISharedNotebook,
  target: readonly string[],
  from: readonly string[],
  hands?: Hands
): string[] {
  const there = new Set(idsOf(shared));
  const common = (order: readonly string[], other: readonly string[]): string[] => {
    const known = new Set(other);
    return order.filter(id => known.has(id) && there.has(id));
  };
  const had = common(from, target);
  if (common(target, from).every((id, i) => id === had[i])) {
    return [];
  }
  const desired = merged(idsOf(shared), target);
  const moving = strays(idsOf(shared), desired);
  for (const id of moving) {
    const now = idsOf(shared);
    const rank = desired.indexOf(id);
    const others = now.filter(other => other !== id);
    const from = now.indexOf(id);
    // All that stand before it in the wanted order are in place by now.
    const to = rank === 0 ? 0 : others.indexOf(desired[rank - 1]!) + 1;
    if (hands) {
      hands.move(from, to);
    } else {
      shared.moveCell(from, to);
    }
  }
  return moving;
}

/** The wanted order, with cells that it does not know left behind the cell they stand behind now. */
function merged(current: readonly string[], target: readonly string[]): string[] {
  const there = new Set(current);
  const known = new Set(target);
  const desired = target.filter(id => there.has(id));
  current.forEach((id, index) => {
    if (!known.has(id)) {
      const predecessor = index > 0 ? desired.indexOf(current[index - 1]!) : -1;
      desired.splice(predecessor + 1, 0, id);
    }
  });
  return desired;
}

/** The fewest elements that must move to turn one order into the other: all but a longest common run. */
export function strays(current: readonly string[], desired: readonly string[]): string[] {
  const rank = new Map(desired.map((id, index) => [id, index]));
  const ranks = current.map(id => rank.get(id)!);
  const tails: number[] = []; // of the best run of each length: index into `ranks`
  const previous: number[] = [];
  ranks.forEach((value, i) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranks[tails[middle]!]! < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    previous[i] = low > 0 ? tails[low - 1]! : -1;
    tails[low] = i;
  });
  const stay = new Set<string>();
  for (let i = tails[tails.length - 1] ?? -1; i >= 0; i = previous[i]!) {
    stay.add(current[i]!);
  }
  return desired.filter(id => !stay.has(id));
}
