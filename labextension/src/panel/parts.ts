/**
 * Parts of the panel that are large and not always needed: each is loaded when something first wants it.
 *
 * Responsible for loading each once and for telling who waits. It does not know where a part comes from:
 * the host says, since a widget has no address to load from and an extension has chunks.
 */
import type * as shared from './shared';

/** The parts by name. A new one is a module that is named here, in `build.mjs` and in `chunks.ts`. */
export interface Parts {
  markup: typeof import('./markup');
  servers: typeof import('./servers');
  diff: typeof import('./diff');
  german: typeof import('./german');
  widgets: typeof import('./widgets');
  charts: typeof import('./widgets/charts');
}

export type PartName = keyof Parts;
export type Shared = typeof shared;
export type LoadPart = <N extends PartName>(name: N) => Promise<Parts[N]>;

export class PartShelf {
  private readonly loaded: { [N in PartName]?: Parts[N] } = {};
  private readonly waiting = new Map<PartName, Promise<void>>();

  constructor(private readonly load: LoadPart) {}

  /** The part, if it is there. */
  get<N extends PartName>(name: N): Parts[N] | undefined {
    return this.loaded[name];
  }

  /** Loads a part; all who ask meanwhile wait for the same load. After a failure the next one tries again. */
  fetch(name: PartName): Promise<void> {
    let load = this.waiting.get(name);
    if (!load) {
      load = this.put(name).catch((error: unknown) => {
        this.waiting.delete(name);
        throw error;
      });
      this.waiting.set(name, load);
    }
    return load;
  }

  private async put<N extends PartName>(name: N): Promise<void> {
    const part = await this.load(name);
    (this.loaded as Record<N, Parts[N]>)[name] = part;
  }
}

/** Makes a part out of its source: a module whose default export takes what the panel shares with it. */
export async function partOf<N extends PartName>(source: string, given: Shared): Promise<Parts[N]> {
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  try {
    const made = (await import(/* @vite-ignore */ address)) as { default: (given: Shared) => Parts[N] };
    return made.default(given);
  } finally {
    URL.revokeObjectURL(address);
  }
}
