import { describe, expect, it } from 'vitest';
import { type LoadPart, PartShelf, type Parts } from '../src/panel/parts';

const MARKUP = { markdownToHtml: (text: string) => text } as Parts['markup'];

describe('parts of the panel', () => {
  it('are loaded once, however many ask for them', async () => {
    let loads = 0;
    const shelf = new PartShelf((async () => {
      loads++;
      return MARKUP;
    }) as LoadPart);
    expect(shelf.get('markup')).toBeUndefined();
    await Promise.all([shelf.fetch('markup'), shelf.fetch('markup')]);
    await shelf.fetch('markup');
    expect(loads).toBe(1);
    expect(shelf.get('markup')).toBe(MARKUP);
  });

  it('that could not be loaded are loaded again when they are wanted again', async () => {
    let away = true;
    const shelf = new PartShelf((async () => {
      if (away) {
        throw new Error('no kernel');
      }
      return MARKUP;
    }) as LoadPart);
    await expect(shelf.fetch('markup')).rejects.toThrow('no kernel');
    away = false;
    await shelf.fetch('markup');
    expect(shelf.get('markup')).toBe(MARKUP);
  });
});
