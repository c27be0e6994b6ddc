import { describe, expect, it, vi } from 'vitest';
import { ENGLISH } from '../src/panel/translation';
import { widgetsIn } from '../src/panel/views/Widgets';
import { type Clicked, actInPage, openable } from '../src/panel/widgetactions';

function clicked(type: string, payload: unknown): Clicked {
  return { type, payload, handler: 'client', loadingBehavior: 'auto' };
}

describe('openable', () => {
  it.each(['https://jupyter.org/a?b#c', 'http://127.0.0.1:8888/', 'mailto:ada@example.org'])('takes %s', address => {
    expect(openable(address)?.href).toBe(new URL(address).href);
  });

  it.each([
    'javascript:alert(1)', ' javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'file:///etc/passwd',
    'blob:https://a.example/1', 'vbscript:x', '/relative', '//a.example', 'https://user:secret@a.example/', '',
    `https://a.example/${'x'.repeat(5_000)}`
  ])('refuses %s', address => {
    expect(openable(address)).toBeNull();
  });
});

describe('actInPage', () => {
  it('opens a link only once the person has seen and taken it', async () => {
    const open = vi.spyOn(window, 'open').mockReturnValue(null);
    const asked: string[] = [];
    const action = clicked('open_link', { url: 'https://jupyter.org' });
    await actInPage(action, ENGLISH, question => asked.push(question) < 0);
    expect(open).not.toHaveBeenCalled();
    expect(asked[0]).toContain('https://jupyter.org/');
    await actInPage(action, ENGLISH, () => true);
    expect(open).toHaveBeenCalledWith('https://jupyter.org/', '_blank', 'noopener,noreferrer');
    open.mockRestore();
  });

  it.each([
    ['open_link', { url: 'javascript:alert(1)' }],
    ['open_link', null],
    ['open_link', { url: ['https://a.example'] }],
    ['copy_text', { text: 'x'.repeat(200_000) }],
    ['delete_everything', {}],
    ['constructor', {}]
  ])('does nothing for %s %o but say so', async (type, payload) => {
    await expect(actInPage(clicked(type, payload), ENGLISH, () => true)).rejects.toThrow();
  });
});

describe('widgetsIn', () => {
  it('reads what a cell or an output of code holds', () => {
    const data = { version: 1, widgets: [{ id: 'w', root: { type: 'Card' }, copy_text: 'x' }] };
    expect(widgetsIn(data)).toEqual(data.widgets);
    expect(widgetsIn(JSON.stringify(data))).toEqual(data.widgets);
  });

  it.each([undefined, null, 7, '', '{"widgets": [', '{}', { widgets: [] }, { widgets: 'x' }])('finds none in %o', data => {
    expect(widgetsIn(data)).toBeNull();
  });

  it('makes something that can be drawn of whatever stands there', () => {
    expect(widgetsIn({ widgets: [null, 7, { root: [] }] })).toEqual([{ id: '', root: [], copy_text: '' }]);
  });
});
