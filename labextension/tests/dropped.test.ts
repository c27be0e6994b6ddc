import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Contents } from '@jupyterlab/services';
import { takeDroppedFiles } from '../src/dropped';

const PATHS = 'application/x-jupyter-icontents';
const FILES: Record<string, { type: string; size: number; content: string }> = {
  'data/notes.md': { type: 'file', size: 4, content: 'U293Lg==' },
  'book.ipynb': { type: 'notebook', size: 2, content: 'e30=\n' },
  data: { type: 'directory', size: 0, content: '' },
  'huge.bin': { type: 'file', size: 9_000_000, content: '' }
};

function side(asked: string[] = []): { node: HTMLElement; got: Promise<File[]>; contents: Contents.IManager } {
  const node = document.createElement('div');
  const form = document.createElement('form');
  form.className = 'vk-say';
  node.append(form);
  document.body.append(node);
  Object.defineProperty(form, 'offsetParent', { value: node });
  const got = new Promise<File[]>(resolve =>
    form.addEventListener('drop', event => resolve([...((event as DragEvent).dataTransfer?.files ?? [])]))
  );
  const get = async (path: string, how: Contents.IFetchOptions): Promise<unknown> => {
    const file = FILES[path];
    if (!file) {
      throw new Error('404');
    }
    if (how.content) {
      asked.push(path);
      expect(how).toMatchObject({ type: 'file', format: 'base64' });
    }
    return { name: path.split('/').pop(), mimetype: null, ...file };
  };
  return { node, got, contents: { get } as unknown as Contents.IManager };
}

function drag(type: string, paths: string[] | null): Event {
  const mimeData = { hasData: (mime: string) => paths !== null && mime === PATHS, getData: () => paths };
  return Object.assign(new Event(type, { bubbles: true, cancelable: true }), {
    mimeData,
    proposedAction: 'move',
    dropAction: 'none'
  });
}

/** happy-dom's leaves out what is dropped. */
class Dropped extends Event {
  readonly dataTransfer: DataTransfer;
  constructor(type: string, init: EventInit & { dataTransfer: DataTransfer }) {
    super(type, init);
    this.dataTransfer = init.dataTransfer;
  }
}

describe('files of the file browser', () => {
  beforeEach(() => vi.stubGlobal('DragEvent', Dropped));
  afterEach(() => {
    document.body.replaceChildren();
    vi.unstubAllGlobals();
  });

  it('become files that are dropped on the text box, as they are on the disk', async () => {
    const asked: string[] = [];
    const { node, got, contents } = side(asked);
    takeDroppedFiles(node, contents);
    const over = drag('lm-dragenter', ['data/notes.md']);
    node.dispatchEvent(over);
    expect(over.defaultPrevented).toBe(true);
    node.dispatchEvent(drag('lm-drop', ['data/notes.md', 'data', 'gone.txt', 'book.ipynb', 'huge.bin']));
    const files = await got;
    expect(files.map(file => file.name)).toEqual(['notes.md', 'book.ipynb', 'huge.bin']);
    expect(await files[0]!.text()).toBe('Sow.');
    expect(await files[1]!.text()).toBe('{}');
    expect(files[2]!.size).toBeGreaterThan(8_000_000);
    expect(asked).toEqual(['data/notes.md', 'book.ipynb']);
  });

  it('leaves alone what is no file', () => {
    const { node, contents } = side();
    takeDroppedFiles(node, contents);
    const over = drag('lm-dragover', null);
    node.dispatchEvent(over);
    expect(over.defaultPrevented).toBe(false);
    node.dispatchEvent(drag('lm-drop', null));
  });
});
