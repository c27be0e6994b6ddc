/**
 * What this browser keeps for a notebook over a reload: voice undo, and snapshots.
 *
 * Responsible for IndexedDB alone; it does not know what it stores. A hidden folder beside the notebook
 * would be the other place, but a Jupyter server refuses hidden files, and a visible one litters.
 * Storage may be off, full or forbidden; then nothing is kept and nothing breaks.
 */
const DATABASE = 'voice_kernel';
const VERSION = 1;
/** After this nothing is kept: notebooks hold data, and the browser may be shared. */
const KEPT_MS = 7 * 24 * 3_600_000;

export type Section = 'undo' | 'snapshots';

export interface Item<T> {
  readonly key: string;
  /** The notebook that the item belongs to. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: T;
}

function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Shelf {
  private database: Promise<IDBDatabase> | null = null;

  /** @param scope tells servers on one origin apart, e.g. users of a hub. */
  constructor(private readonly scope: string) {}

  async put<T>(section: Section, path: string, name: string, value: T, at = Date.now()): Promise<boolean> {
    const item: Item<T> = { key: `${this.home(path)}\n${name}`, path: this.home(path), at, value };
    return (await this.use(section, 'readwrite', store => store.put(item))) !== undefined;
  }

  async get<T>(section: Section, path: string, name: string): Promise<T | undefined> {
    const key = `${this.home(path)}\n${name}`;
    const item = await this.use(section, 'readonly', store => store.get(key) as IDBRequest<Item<T> | undefined>);
    return item && item.at > Date.now() - KEPT_MS ? item.value : undefined;
  }

  /** A notebook's items, newest first. */
  async list<T>(section: Section, path: string): Promise<Item<T>[]> {
    const items = await this.use(
      section,
      'readonly',
      store => store.index('path').getAll(this.home(path)) as IDBRequest<Item<T>[]>
    );
    return (items ?? []).filter(item => item.at > Date.now() - KEPT_MS).sort((a, b) => b.at - a.at);
  }

  async remove(section: Section, item: Pick<Item<unknown>, 'key'>): Promise<void> {
    await this.use(section, 'readwrite', store => store.delete(item.key));
  }

  /** Drops what is too old, of all notebooks. */
  async tidy(): Promise<void> {
    for (const section of ['undo', 'snapshots'] as const) {
      const keys = await this.use(section, 'readonly', store =>
        store.index('at').getAllKeys(IDBKeyRange.upperBound(Date.now() - KEPT_MS))
      );
      for (const key of keys ?? []) {
        await this.use(section, 'readwrite', store => store.delete(key));
      }
    }
  }

  private home(path: string): string {
    return `${this.scope}${path}`;
  }

  private async use<T>(
    section: Section,
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest<T>
  ): Promise<T | undefined> {
    try {
      this.database ??= open();
      const database = await this.database;
      return await promised(act(database.transaction(section, mode).objectStore(section)));
    } catch {
      // Said above: not kept. The next use tries again.
      this.database = null;
      return undefined;
    }
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    for (const section of ['undo', 'snapshots']) {
      const store = request.result.createObjectStore(section, { keyPath: 'key' });
      store.createIndex('path', 'path');
      store.createIndex('at', 'at');
    }
  };
  return promised(request);
}
