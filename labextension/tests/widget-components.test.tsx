import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { ChartView } from '../src/panel/widgets/charts';
import { markdownToHtml } from '../src/panel/markup';
import type { PartShelf } from '../src/panel/parts';
import { ENGLISH } from '../src/panel/translation';
import { type OnAction, type WidgetAction, WidgetView, type Values, applyUpdate } from '../src/panel/widgets';
import { known } from '../src/panel/widgets/draw';
import { ICON_NAMES } from '../src/panel/widgets/icons';
import type { WidgetNode } from '../src/panel/widgets/node';
import { soon } from './soon';

const loaded = { markup: { markdownToHtml }, charts: { ChartView } };
const parts = { get: (name: string) => loaded[name as keyof typeof loaded], fetch: async () => {} } as unknown as PartShelf;

/** Days are written as the browser writes them, unless somebody says how. */
const TRANS = { ...ENGLISH, locale: 'en-US' };

let hosts: HTMLElement[] = [];
afterEach(() => {
  hosts.forEach(host => {
    render(null, host);
    host.remove();
  });
  hosts = [];
});

interface Shown {
  readonly host: HTMLElement;
  readonly done: [WidgetAction, Values, string][];
  readonly find: (selector: string) => HTMLElement;
  readonly show: (root: unknown) => void;
}

function show(root: unknown, answer: (action: WidgetAction) => Promise<void> | void = () => {}, theme?: 'light' | 'dark'): Shown {
  const host = document.createElement('div');
  document.body.append(host);
  hosts.push(host);
  const done: [WidgetAction, Values, string][] = [];
  const onAction: OnAction = (action, values, itemId) => {
    done.push([action, values, itemId]);
    return answer(action);
  };
  const draw = (next: unknown): void =>
    void act(() => render(<WidgetView root={next} theme={theme ?? 'light'} onAction={onAction} trans={TRANS} parts={parts} />, host));
  draw(root);
  return {
    host,
    done,
    show: draw,
    find: selector => {
      const found = host.querySelector<HTMLElement>(selector);
      if (!found) {
        throw new Error(`no ${selector} in ${host.innerHTML}`);
      }
      return found;
    }
  };
}

const card = (...children: object[]): object => ({ type: 'Card', children });
const one = (node: object): Shown => show(card(node));
const ticked = async (): Promise<void> => act(async () => void (await Promise.resolve()));
async function press(element: HTMLElement): Promise<void> {
  act(() => element.click());
  await ticked();
  await ticked();
}
async function key(element: Element, key: string, more: KeyboardEventInit = {}): Promise<void> {
  act(() => void element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })));
  await ticked();
}

/** What any block may have, and how it is then. */
const BLOCK = { width: '50%', height: 41, minWidth: 42, minHeight: 43, maxWidth: 444, maxHeight: 445, aspectRatio: '16 / 9', flex: 2 };
const BLOCKED = { width: '50%', height: '41px', 'min-width': '42px', 'min-height': '43px', 'max-width': '444px', 'max-height': '445px', 'aspect-ratio': '16 / 9' };
const LAYOUT = { ...BLOCK, align: 'center', justify: 'between', wrap: 'wrap-reverse', gap: 3, padding: { x: 2, top: 1 }, margin: { left: -1 }, border: { size: 2, style: 'dashed' }, radius: 'full', background: 'surface-secondary' };
const LAID_OUT = {
  ...BLOCKED, 'align-items': 'center', 'justify-content': 'space-between', 'flex-wrap': 'wrap-reverse', gap: '12px', 'padding-left': '8px',
  'padding-top': '4px', 'margin-left': '-4px', 'border-radius': '9999px', 'background-color': 'var(--vk-w-surface-2)'
};

/** A component, where it is to be found, and what is to be seen there. */
type Expected = Readonly<Record<string, string | null>>;
const FIELDS: readonly (readonly [node: Record<string, unknown>, selector: string, expected: Expected])[] = [
  [{ type: 'Text', value: 'hello' }, 'p.vk-w-text', { text: 'hello' }],
  [{ type: 'Text', value: 'x', size: 'xl' }, 'p', { 'data-size': 'xl' }],
  [{ type: 'Text', value: 'x', size: 'huge' }, 'p', { 'data-size': null }],
  [{ type: 'Text', value: 'x', streaming: true }, 'p', { 'data-streaming': 'true' }],
  [{ type: 'Text', value: 'x', truncate: true }, 'p.vk-w-truncate', {}],
  [{ type: 'Text', value: 'x', maxLines: 3 }, 'p.vk-w-clamp', { '--vk-w-lines': '3' }],
  [{ type: 'Text', value: 'x', italic: true, lineThrough: true }, 'p', { 'font-style': 'italic', 'text-decoration': 'line-through' }],
  [{ type: 'Text', value: 'x', weight: 'bold', textAlign: 'end', color: '#ff0000', width: 90 }, 'p', { 'font-weight': '700', 'text-align': 'end', color: '#ff0000', width: '90px' }],
  [{ type: 'Text', value: 'x', editable: false }, 'p', { text: 'x' }],
  [{ type: 'Text', value: 'x', editable: { name: 'n', required: true, placeholder: 'p', autoComplete: 'email' } }, 'textarea', { 'data-vk-field': 'n', required: '', placeholder: 'p', autocomplete: 'email', 'aria-label': 'p' }],
  [{ type: 'Title', value: 'T', size: '3xl', weight: 'medium' }, 'h3', { text: 'T', 'data-size': '3xl', 'font-weight': '500' }],
  [{ type: 'Caption', value: 'C', size: 'sm', truncate: true }, 'p.vk-w-caption.vk-w-truncate', { text: 'C', 'data-size': 'sm' }],
  [{ type: 'Markdown', value: '**b**' }, '.vk-w-markdown strong', { text: 'b' }],
  [{ type: 'Markdown', value: 'x', streaming: true }, '.vk-w-markdown', { 'data-streaming': 'true' }],
  [{ type: 'Label', value: 'L', fieldName: 'f', size: 'lg', weight: 'bold' }, 'label', { text: 'L', 'data-size': 'lg', 'font-weight': '700' }],
  [{ type: 'Badge', label: 'B', color: 'danger', variant: 'outline', size: 'lg', pill: true }, '.vk-w-badge', { text: 'B', 'data-tone': 'danger', 'data-variant': 'outline', 'data-size': 'lg', 'data-pill': 'true' }],
  [{ type: 'Badge', label: 'B' }, '.vk-w-badge', { 'data-tone': 'secondary', 'data-variant': 'soft' }],
  [{ type: 'Progress', id: 'p', label: 'Reading', value: 40, streaming: true }, '[role=progressbar]', { 'aria-valuenow': '40', 'aria-valuemax': '100' }],
  [{ type: 'Progress', value: 400 }, '[role=progressbar]', { 'aria-valuenow': '100' }],
  [{ type: 'Progress', label: 'x' }, '[role=progressbar]', { 'aria-valuenow': null, 'data-unknown': 'true' }],
  [{ type: 'Icon', name: 'bug', size: '3xl', color: 'red' }, 'svg.vk-w-icon', { 'data-size': '3xl', color: 'red', 'aria-hidden': 'true' }],
  [{ type: 'Image', src: 'https://example.org/a.png', alt: 'A', fit: 'contain', position: 'top left', frame: true, flush: true, width: 40, radius: 'md' }, 'img', { src: 'https://example.org/a.png', alt: 'A', 'object-fit': 'contain', 'object-position': 'top left', 'data-frame': 'true', 'data-flush': 'true', width: '40px', 'border-radius': '8px', referrerpolicy: 'no-referrer', loading: 'lazy' }],
  [{ type: 'Image', src: 'http://example.org/a.png', alt: 'A' }, '[role=img]', { 'aria-label': 'A' }],
  [{ type: 'Box', direction: 'row', gap: 2 }, '.vk-w-box.vk-w-row', { gap: '8px' }],
  [{ type: 'Box' }, '.vk-w-box.vk-w-col', {}],
  [{ type: 'Row', align: 'start', padding: 1 }, '.vk-w-row', { 'align-items': 'flex-start', padding: '4px' }],
  [{ type: 'Col', flex: 1, wrap: 'wrap' }, '.vk-w-box.vk-w-col', { 'flex-wrap': 'wrap' }],
  [{ type: 'Form', direction: 'row' }, 'form.vk-w-row', { novalidate: '' }],
  [{ type: 'Spacer', minSize: 30 }, '.vk-w-spacer', { 'min-width': '30px', 'min-height': '30px' }],
  [{ type: 'Divider', color: 'red', size: 3, spacing: 2, flush: true }, 'hr', { '--vk-w-divider': 'red', '--vk-w-thickness': '3px', '--vk-w-spacing': '8px', 'data-flush': 'true' }],
  [{ type: 'Transition', children: { type: 'Text', value: 'T' } }, '.vk-w-transition p', { text: 'T' }],
  [{ type: 'Button', label: 'Go', style: 'primary', size: 'lg', pill: true, block: true }, 'button', { text: 'Go', 'data-tone': 'primary', 'data-variant': 'solid', 'data-size': 'lg', 'data-pill': 'true', 'data-block': 'true', type: 'button' }],
  [{ type: 'Button', label: 'Go', style: 'secondary' }, 'button', { 'data-tone': 'secondary', 'data-variant': 'outline' }],
  [{ type: 'Button', label: 'Go', color: 'discovery', variant: 'ghost', disabled: true }, 'button', { 'data-tone': 'discovery', 'data-variant': 'ghost', disabled: '' }],
  [{ type: 'Button', iconStart: 'map-pin', uniform: true, iconSize: 'xl' }, 'button', { 'aria-label': 'map pin', 'data-uniform': 'true' }],
  [{ type: 'Button', label: 'x', iconEnd: 'play', iconSize: '2xl' }, 'button svg', { 'data-size': '2xl' }],
  [{ type: 'Input', name: 'n', inputType: 'email', placeholder: 'p', required: true, defaultValue: 'd', pattern: 'a+', variant: 'soft', size: 'sm', gutterSize: 'xl', pill: true }, 'input', { type: 'email', placeholder: 'p', required: '', value: 'd', pattern: 'a+', 'data-variant': 'soft', 'data-size': 'sm', 'data-gutter': 'xl', 'data-pill': 'true', 'aria-label': 'p' }],
  [{ type: 'Input', name: 'n', inputType: 'file' }, 'input', { type: 'text', 'data-lpignore': 'true' }],
  [{ type: 'Input', name: 'n', allowAutofillExtensions: true, disabled: true }, 'input', { 'data-lpignore': null, disabled: '' }],
  [{ type: 'Input', name: 'n', pattern: '((' }, 'input', { pattern: null }],
  [{ type: 'Textarea', name: 'n', rows: 4, maxRows: 9, autoResize: true, required: true, disabled: true, variant: 'soft', size: 'xl', gutterSize: 'sm', placeholder: 'p' }, 'textarea', { rows: '4', '--vk-w-rows': '4', '--vk-w-most': '9', 'data-grows': 'true', required: '', disabled: '', 'data-variant': 'soft', 'data-size': 'xl', 'data-gutter': 'sm', placeholder: 'p' }],
  [{ type: 'Checkbox', name: 'n', label: 'L', defaultChecked: true, required: true, disabled: true }, 'input[type=checkbox]', { required: '', disabled: '' }],
  [{ type: 'RadioGroup', name: 'n', ariaLabel: 'Pick', options: [{ label: 'A', value: 'a' }], direction: 'col', required: true }, '[role=radiogroup]', { 'aria-label': 'Pick', 'data-direction': 'col', 'aria-required': 'true' }],
  [{ type: 'Table', children: [{ type: 'Table.Row', header: true, children: [{ type: 'Table.Cell', children: [{ type: 'Text', value: 'H' }] }] }] }, 'thead th', { text: 'H', scope: 'col' }],
  [{ type: 'Table', children: [{ type: 'Table.Row', children: [{ type: 'Table.Cell', colSpan: 2, rowSpan: 3, align: 'end', vAlign: 'start', width: 70, padding: { x: 1 }, children: [] }] }] }, 'tbody td', { colspan: '2', rowspan: '3', 'text-align': 'end', 'vertical-align': 'top', width: '70px', 'padding-left': '4px' }],
  [{ type: 'Table', children: [{ type: 'Table.Row', children: [{ type: 'Table.Cell', colSize: 'sm', children: [] }] }] }, 'td', { width: '96px' }],
  [{ type: 'Chart', data: [{ x: 'a', y: 1 }], series: [{ type: 'bar', dataKey: 'y', label: 'Y' }], xAxis: 'x', height: 90 }, '.vk-w-chart', { height: '90px' }],
  [{ type: 'Chart', data: [{ x: 'a', y: 1 }], series: [{ type: 'bar', dataKey: 'y', label: 'Y' }], xAxis: 'x' }, '.vk-w-unseen tbody td', { text: '1' }],
  ...(['Box', 'Row', 'Col', 'Form'] as const).map(type => [{ type, ...LAYOUT, children: [{ type: 'Text', value: 'T' }] }, '.vk-w-body > .vk-w-box', { text: 'T', ...LAID_OUT }] as const),
  [{ type: 'Box', size: 40, minSize: 30, maxSize: 50 }, '.vk-w-body > .vk-w-box', { width: '40px', height: '40px', 'min-width': '30px', 'min-height': '30px', 'max-width': '50px', 'max-height': '50px' }],
  [{ type: 'Image', src: 'https://example.org/a.png', ...BLOCK }, 'img', BLOCKED],
  [{ type: 'Chart', data: [{ x: 'a', y: 1 }], series: [{ type: 'bar', dataKey: 'y', label: 'Y' }], xAxis: 'x', ...BLOCK, size: 77 }, '.vk-w-chart', BLOCKED],
  [{ type: 'Text', value: 'x', minLines: 2 }, 'p', { 'min-height': '2lh' }],
  [{ type: 'Title', value: 'T', color: 'danger', textAlign: 'center', maxLines: 2 }, 'h3.vk-w-clamp', { color: 'var(--vk-w-danger)', 'text-align': 'center', '--vk-w-lines': '2' }],
  [{ type: 'Title', value: 'T', truncate: true }, 'h3.vk-w-truncate', {}],
  [{ type: 'Caption', value: 'C', color: 'red-500', weight: 'semibold', textAlign: 'end', maxLines: 3 }, 'p.vk-w-clamp', { 'font-weight': '600', 'text-align': 'end', '--vk-w-lines': '3' }],
  [{ type: 'Label', value: 'L', fieldName: 'f', textAlign: 'end', color: 'tertiary' }, 'label', { 'text-align': 'end', color: 'var(--vk-w-tertiary)' }],
  [{ type: 'RadioGroup', name: 'n', disabled: true, defaultValue: 'a', options: [{ label: 'A', value: 'a' }] }, 'input[type=radio]', { disabled: '', value: 'a' }],
  [{ type: 'DatePicker', name: 'n', block: true }, '.vk-w-field', { 'data-block': 'true' }],
  [{ type: 'Hologram', title: 'What', children: [{ type: 'Text', value: 'inside' }] }, '.vk-w-unknown', { text: 'This version cannot draw “Hologram”.Whatinside' }]
];

describe('fields', () => {
  it.each(FIELDS)('%j', (node, selector, expected) => {
    const element = one(node).find(selector);
    for (const [name, value] of Object.entries(expected)) {
      const seen = name === 'text' ? element.textContent : (element.getAttribute(name) ?? (element.style.getPropertyValue(name) || null));
      expect([name, seen]).toEqual([name, value]);
    }
  });

  it('are those of every component', () => {
    const roots = ['Basic', 'Card', 'ListView', 'ListViewItem', 'Select', 'DatePicker', 'Table.Row', 'Table.Cell'];
    const tested = new Set([...FIELDS.map(([node]) => node['type'] as string), ...roots]);
    expect(known().filter(type => !tested.has(type))).toEqual([]);
    expect(known()).toHaveLength(31);
  });
});

describe('roots', () => {
  it('card: size, ground, border, padding, status and theme', () => {
    const { find } = show({ type: 'Card', size: 'lg', background: '#00ff00', border: 2, padding: 6, theme: 'dark', status: { text: 'S', icon: 'bolt' }, children: [] });
    const element = find('section.vk-w-card');
    expect(element.dataset['size']).toBe('lg');
    expect(element.dataset['vkTheme']).toBe('dark');
    expect(element.style.backgroundColor).toBe('#00ff00');
    expect(find('.vk-w-card-inner').style.padding).toBe('24px');
    expect(find('.vk-w-status').textContent).toBe('S');
    expect(find('.vk-w-status svg')).toBeTruthy();
  });

  it('card: a favicon with a frame, when it is safe', () => {
    const { find } = show({ type: 'Card', status: { text: 'S', favicon: 'https://example.org/i.png', frame: true }, children: [] });
    expect(find('img.vk-w-favicon').dataset['frame']).toBe('true');
  });

  it('card: folded, and opened again', async () => {
    const { host, find } = show({ type: 'Card', collapsed: true, status: { text: 'Done' }, children: [{ type: 'Text', value: 'inside' }] });
    expect(host.textContent).not.toContain('inside');
    await press(find('.vk-w-unfold'));
    expect(host.textContent).toContain('inside');
    expect(find('.vk-w-unfold').getAttribute('aria-expanded')).toBe('true');
  });

  it('list: so many items, and more on demand', async () => {
    const items = [1, 2, 3, 4, 5].map(at => ({ type: 'ListViewItem', children: [{ type: 'Text', value: `item ${at}` }] }));
    const { host, find } = show({ type: 'ListView', limit: 2, children: items });
    expect(host.querySelectorAll('li')).toHaveLength(2);
    await press(find('.vk-w-more'));
    expect(host.querySelectorAll('li')).toHaveLength(4);
    await press(find('.vk-w-more'));
    expect(host.querySelectorAll('li')).toHaveLength(5);
    expect(host.querySelector('.vk-w-more')).toBeNull();
  });

  it('list: an automatic limit, a status, an item that acts', async () => {
    const items = Array.from({ length: 12 }, () => ({ type: 'ListViewItem', gap: 2, align: 'start', onClickAction: { type: 'open' }, children: [{ type: 'Text', value: 'x' }] }));
    const { host, find, done } = show({ type: 'ListView', limit: 'auto', status: { text: 'All' }, children: items });
    expect(host.querySelectorAll('li')).toHaveLength(10);
    expect(find('.vk-w-item-content').style.gap).toBe('8px');
    await press(find('.vk-w-item-button'));
    expect(done[0]?.[0]).toEqual({ type: 'open', handler: 'server', loadingBehavior: 'auto' });
  });

  it('basic: direction, gap, and roots within it', () => {
    const { find } = show({ type: 'Basic', direction: 'row', gap: 5, theme: 'dark', children: [{ type: 'Card', children: [] }] });
    expect(find('.vk-w-basic').style.gap).toBe('20px');
    expect(find('.vk-w-basic section.vk-w-card')).toBeTruthy();
  });

  it('follow the page when nobody says how it is', () => {
    expect(show(card(), undefined, 'dark').find('.vk-widget').dataset['vkTheme']).toBe('dark');
  });
});

describe('actions', () => {
  const button = (fields: object): object => ({ type: 'Button', label: 'Go', onClickAction: { type: 'go', payload: { n: 1 } }, ...fields });

  it('are handed over as they stand', async () => {
    const { find, done } = one(button({ onClickAction: { type: 'go', payload: [1], handler: 'client', loadingBehavior: 'none', streaming: false } }));
    await press(find('button'));
    expect(done).toEqual([[{ type: 'go', payload: [1], handler: 'client', loadingBehavior: 'none' }, {}, '']]);
  });

  it.each([[{}], [{ type: '' }], [{ type: 7 }], ['go'], [null]])('%j is none', async onClickAction => {
    const { find, done } = one(button({ onClickAction }));
    await press(find('button'));
    expect(done).toEqual([]);
  });

  it.each([
    ['auto', 'button'],
    ['self', 'button'],
    ['container', 'section'],
    ['none', null]
  ])('loading %s is shown at the %s', async (loadingBehavior, place) => {
    let finish = (): void => {};
    const shown = show(card(button({ onClickAction: { type: 'go', loadingBehavior } })), () => new Promise<void>(done => (finish = done)));
    await press(shown.find('button'));
    const busy = [...shown.host.querySelectorAll('[aria-busy=true]')].map(element => element.localName);
    expect(busy).toEqual(place ? [place] : []);
    await press(shown.find('button'));
    expect(shown.done).toHaveLength(place ? 1 : 2);
    await act(async () => finish());
    await ticked();
    await ticked();
    expect(shown.host.querySelector('[aria-busy=true]')).toBeNull();
  });

  it.each([
    ['a button', card(button({ id: 'b7', key: 'k' })), 'button', 'b7'],
    ['a button with a key only', card(button({ key: 'k' })), 'button', 'k'],
    ['an item of a list', { type: 'ListView', children: [{ type: 'ListViewItem', key: 'row 2', onClickAction: { type: 'go' }, children: [] }] }, '.vk-w-item-button', 'row 2'],
    ['a card', { type: 'Card', id: 'c', confirm: { label: 'OK', action: { type: 'go' } }, children: [] }, 'footer button', 'c'],
    ['a card that is a form', { type: 'Card', id: 'c', asForm: true, confirm: { label: 'OK', action: { type: 'go' } }, children: [] }, 'footer button', 'c'],
    ['a form, and not its button', card({ type: 'Form', id: 'f', onSubmitAction: { type: 'go' }, children: [{ type: 'Button', id: 'b', label: 'Go', submit: true }] }), 'button', 'f'],
    ['a button that submits with its own', card({ type: 'Form', id: 'f', children: [button({ id: 'b', submit: true })] }), 'button', 'b'],
    ['a box that is ticked', card({ type: 'Checkbox', name: 'n', id: 'x', onChangeAction: { type: 'go' } }), 'input', 'x'],
    ['an id that nobody would take', card(button({ id: 'x'.repeat(201) })), 'button', '']
  ])('say whose they are: %s', async (_, root, selector, itemId) => {
    const { find, done } = show(root);
    await press(find(selector));
    expect(done.map(([action, , id]) => [action.type, id])).toEqual([['go', itemId]]);
  });

  it('tell what went wrong, until it is dismissed', async () => {
    const problem = { message: 'No seat is left.', hint: 'Try another row.' };
    const shown = show(card(button({})), () => Promise.reject(Object.assign(new Error('x'), { problem })));
    await press(shown.find('button'));
    await soon(() => expect(shown.find('[role=alert]').textContent).toContain('No seat is left. Try another row.'));
    await press(shown.find('[role=alert] button'));
    expect(shown.host.querySelector('[role=alert]')).toBeNull();
  });

  it('tell of an error that has no words, too', async () => {
    const shown = show(card(button({})), () => Promise.reject(new Error('')));
    await press(shown.find('button'));
    await soon(() => expect(shown.find('[role=alert]').textContent).toContain('This did not work.'));
  });

  it.each([
    [{ type: 'Select', name: 'a.b', options: [{ value: 'x', label: 'X' }] }, 'select', 'x'],
    [{ type: 'Checkbox', name: 'a.b', label: 'L' }, 'input', true],
    [{ type: 'RadioGroup', name: 'a.b', options: [{ value: 'x', label: 'X' }] }, 'input', 'x'],
    [{ type: 'DatePicker', name: 'a.b' }, 'input', '2026-11-23']
  ])('of a change carry the value: %j', async (node, selector, value) => {
    const { find, done } = one({ ...node, onChangeAction: { type: 'changed' } });
    const field = find(selector) as HTMLInputElement;
    act(() => {
      if (typeof value === 'boolean' || field.type === 'radio') {
        field.checked = true;
      } else {
        field.value = value;
      }
      field.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await ticked();
    expect(done[0]?.[1]).toEqual({ a: { b: value } });
  });
});

describe('forms', () => {
  const form = (...children: object[]): object => ({
    type: 'Card',
    asForm: true,
    confirm: { label: 'Send', action: { type: 'send' } },
    cancel: { label: 'Leave', action: { type: 'leave' } },
    children
  });
  const buttons = (shown: Shown): readonly HTMLElement[] => [...shown.host.querySelectorAll<HTMLElement>('footer button')];

  it('hand in every field by its name, nested where it has dots', async () => {
    const shown = show(
      form(
        { type: 'Input', name: 'person.name', defaultValue: 'Ada' },
        { type: 'Input', name: 'person.age', inputType: 'number', defaultValue: '36' },
        { type: 'Textarea', name: 'note', defaultValue: 'n' },
        { type: 'Select', name: 'city', defaultValue: 'o', options: [{ value: 'o', label: 'Oslo' }] },
        { type: 'DatePicker', name: 'day', defaultValue: '2026-11-23T10:00:00Z' },
        { type: 'Checkbox', name: 'agreed', defaultChecked: true },
        { type: 'RadioGroup', name: 'seat', defaultValue: 'b', options: [{ value: 'a', label: 'A' }, { value: 'b', label: 'B' }] },
        { type: 'RadioGroup', name: 'meal', options: [{ value: 'a', label: 'A' }] },
        { type: 'Text', value: 'Draft', editable: { name: 'title' } },
        { type: 'Input', name: 'off', defaultValue: 'x', disabled: true }
      )
    );
    await press(buttons(shown)[1]!);
    expect(shown.done[0]?.[0].type).toBe('send');
    expect(shown.done[0]?.[1]).toEqual({
      person: { name: 'Ada', age: 36 }, note: 'n', city: 'o', day: '2026-11-23', agreed: true, seat: 'b', meal: null, title: 'Draft'
    });
  });

  it('say what is missing, and go there; leaving needs nothing', async () => {
    const shown = show(form({ type: 'Input', name: 'a' }, { type: 'Input', name: 'b', required: true }));
    await press(buttons(shown)[1]!);
    expect(shown.done).toEqual([]);
    const field = shown.find('[data-vk-field=b]');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(shown.find(`#${field.getAttribute('aria-describedby')}`).textContent).not.toBe('');
    expect(document.activeElement).toBe(field);
    await press(buttons(shown)[0]!);
    expect(shown.done[0]?.[0].type).toBe('leave');
  });

  it('hold a text of several lines to its pattern', async () => {
    const shown = show(form({ type: 'Textarea', name: 'code', pattern: '[A-Z]{3}', defaultValue: '' }));
    const field = shown.find('textarea') as HTMLTextAreaElement;
    field.value = 'abc';
    act(() => void field.dispatchEvent(new Event('input', { bubbles: true })));
    await press(buttons(shown)[1]!);
    expect(shown.done).toEqual([]);
    field.value = 'ABC';
    act(() => void field.dispatchEvent(new Event('input', { bubbles: true })));
    await press(buttons(shown)[1]!);
    expect(shown.done[0]?.[1]).toEqual({ code: 'ABC' });
  });

  it('are submitted by Enter, and by a button that submits', async () => {
    const shown = show(card({
      type: 'Form',
      onSubmitAction: { type: 'find' },
      children: [{ type: 'Input', name: 'q', defaultValue: 'x' }, { type: 'Button', label: 'Find', submit: true }]
    }));
    act(() => void shown.find('input').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })));
    await ticked();
    await ticked();
    await press(shown.find('button'));
    expect(shown.done.map(([action, values]) => [action.type, values])).toEqual([['find', { q: 'x' }], ['find', { q: 'x' }]]);
  });

  it('within a form are a group that submits by itself', async () => {
    const shown = show(form(
      { type: 'Input', name: 'outer', defaultValue: '1' },
      { type: 'Form', onSubmitAction: { type: 'inner' }, children: [{ type: 'Input', name: 'inner', defaultValue: '2' }, { type: 'Button', label: 'In', submit: true }] }
    ));
    expect(shown.host.querySelectorAll('form')).toHaveLength(1);
    await press(shown.find('[role=group] button'));
    expect(shown.done[0]).toEqual([expect.objectContaining({ type: 'inner' }), { inner: '2' }, '']);
    await press(buttons(shown)[1]!);
    expect(shown.done[1]?.[1]).toEqual({ outer: '1', inner: '2' });
  });

  it('give their values to any action in them', async () => {
    const shown = show(form({ type: 'Input', name: 'q', defaultValue: 'x' }, { type: 'Button', label: 'Preview', onClickAction: { type: 'preview' } }));
    await press(shown.find('.vk-w-body button'));
    expect(shown.done[0]?.[1]).toEqual({ q: 'x' });
  });

  it('send nothing by a name that reaches beyond them', async () => {
    const names = ['__proto__.polluted', 'constructor.prototype.polluted', 'a..b', '', 'ok'];
    const shown = show(form(...names.map(name => ({ type: 'Input', name, defaultValue: 'v' }))));
    await press(buttons(shown)[1]!);
    expect(shown.done[0]?.[1]).toEqual({ ok: 'v' });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('keep their names apart from those of any other widget in the page', () => {
    const named = card({ type: 'Label', value: 'City', fieldName: 'city' }, { type: 'Input', name: 'city' });
    const both = [show(named), show(named)].map(({ find }) => [find('input').id, (find('label') as HTMLLabelElement).htmlFor]);
    expect(both[0]?.[0]).toBe(both[0]?.[1]);
    expect(both[0]).not.toEqual(both[1]);
  });

  it('name their fields by labels', () => {
    const shown = show(form({ type: 'Label', value: 'City', fieldName: 'city' }, { type: 'Input', name: 'city' }));
    const label = shown.find('label') as HTMLLabelElement;
    expect(shown.find('input').id).toBe(label.htmlFor);
    expect(shown.find('input').getAttribute('aria-label')).toBeNull();
  });
});

describe('choices', () => {
  const options = [{ value: 'a', label: 'A', description: 'the first' }, { value: 'b', label: 'B', disabled: true }];
  it('list: options, placeholder, default, size and shape', () => {
    const { find, host } = one({ type: 'Select', name: 'n', options, placeholder: 'Pick', defaultValue: 'a', variant: 'ghost', size: 'xs', pill: true, block: true, disabled: true });
    const field = find('select') as HTMLSelectElement;
    expect(field.value).toBe('a');
    expect([...field.options].map(option => [option.text, option.disabled])).toEqual([['Pick', true], ['A – the first', false], ['B', true]]);
    expect([field.dataset['variant'], field.dataset['size'], field.dataset['pill'], field.disabled]).toEqual(['ghost', 'xs', 'true', true]);
    expect(host.querySelector<HTMLElement>('.vk-w-field')?.dataset['block']).toBe('true');
  });

  it('list: cleared where that is allowed', () => {
    const field = one({ type: 'Select', name: 'n', options, clearable: true }).find('select') as HTMLSelectElement;
    expect(field.options[0]?.disabled).toBe(false);
  });

  it('day: default, bounds, size, placeholder, and cleared', async () => {
    const { find, host, done } = one({ type: 'DatePicker', name: 'n', defaultValue: '2026-11-23T12:00:00', min: '2026-01-01', max: '2026-12-31T00:00:00Z', variant: 'soft', size: 'lg', pill: true, placeholder: 'When', clearable: true, side: 'top', align: 'end', onChangeAction: { type: 'day' } });
    const field = find('input[type=date]') as HTMLInputElement;
    expect([field.value, field.min, field.max]).toEqual(['2026-11-23', '2026-01-01', '2026-12-31']);
    expect([field.dataset['variant'], field.dataset['size'], field.dataset['pill'], field.dataset['placeholder']]).toEqual(['soft', 'lg', 'true', undefined]);
    await press(find('.vk-w-clear'));
    expect(field.value).toBe('');
    expect(field.dataset['placeholder']).toBe('When');
    expect(done[0]?.[1]).toEqual({ n: '' });
    expect(host.querySelector('.vk-w-clear')).toBeNull();
  });

  const many = Array.from({ length: 20 }, (_, at) => ({ value: `v${at}`, label: `Label ${at}`, description: at === 7 ? 'Ünusual' : '', disabled: at === 3 }));
  const shownOptions = (host: HTMLElement): (string | undefined)[] => [...host.querySelectorAll('[role=option]')].map(option => option.firstElementChild?.textContent ?? undefined);
  const search = (field: HTMLElement, words: string): void => {
    (field as HTMLInputElement).value = words;
    act(() => void field.dispatchEvent(new Event('input', { bubbles: true })));
  };

  it.each([
    [{ searchable: true, options }, true],
    [{ searchable: false, options: many }, false],
    [{ options: many.slice(0, 15) }, false],
    [{ options: many.slice(0, 16) }, true]
  ])('list: searched if it is asked for or long (%#)', (fields, searched) => {
    expect(one({ type: 'Select', name: 'n', ...fields }).host.querySelector('select') === null).toBe(searched);
  });

  it('searched list: default, placeholder, shape, and what is disabled', async () => {
    const { find, host } = one({ type: 'Select', name: 'n', searchable: true, options, placeholder: 'Pick', variant: 'soft', size: 'lg', pill: true, block: true });
    const field = find('button.vk-w-select') as HTMLButtonElement;
    expect([field.textContent, field.value, field.getAttribute('role'), field.getAttribute('aria-label')]).toEqual(['Pick', '', 'combobox', 'Pick']);
    expect([field.dataset['variant'], field.dataset['size'], field.dataset['pill'], field.dataset['empty']]).toEqual(['soft', 'lg', 'true', 'true']);
    expect(host.querySelector<HTMLElement>('.vk-w-field')?.dataset['block']).toBe('true');
    expect(one({ type: 'Select', name: 'n', searchable: true, options, disabled: true }).find('button').getAttribute('disabled')).toBe('');
    expect(one({ type: 'Select', name: 'n', searchable: true, options, defaultValue: 'a' }).find('button').textContent).toBe('A');
    await press(field);
    expect(find('[role=option]').textContent).toBe('Athe first');
    await press(find('[role=option][aria-disabled]'));
    expect(field.value).toBe('');
  });

  it('searched list: found by any words, chosen by keys, cleared, and handed in', async () => {
    const { find, host, done } = one({ type: 'Select', name: 'a.b', id: 's', searchable: true, clearable: true, options: many, onChangeAction: { type: 'changed' } });
    const field = find('button.vk-w-select') as HTMLButtonElement;
    await key(field, 'ArrowDown');
    const query = find('.vk-w-search');
    expect(document.activeElement).toBe(query);
    expect(field.getAttribute('aria-expanded')).toBe('true');
    expect(find(`#${field.getAttribute('aria-controls')}`).getAttribute('role')).toBe('dialog');
    search(query, 'nothing of it');
    expect(find('[role=status]').textContent).toBe('Nothing found.');
    expect(host.querySelector('[role=listbox]')).toBeNull();
    search(query, 'UNUS label');
    expect(shownOptions(host)).toEqual(['Label 7']);
    search(query, 'label 1');
    await key(query, 'ArrowDown');
    await key(query, 'ArrowDown');
    expect(find(`#${query.getAttribute('aria-activedescendant')}`).textContent).toBe('Label 11');
    await key(query, 'ArrowUp');
    await key(query, 'Enter');
    await ticked();
    await ticked();
    expect(done[0]).toEqual([expect.objectContaining({ type: 'changed' }), { a: { b: 'v10' } }, 's']);
    expect([field.textContent, field.value, document.activeElement]).toEqual(['Label 10', 'v10', field]);
    expect(host.querySelector('.vk-w-popup')).toBeNull();
    await press(field);
    expect(shownOptions(host)[0]).toBe('Choose');
    await press(find('[role=option]'));
    expect(done[1]?.[1]).toEqual({ a: { b: '' } });
  });

  it('searched list: a letter begins to search, Escape goes back, and Enter submits nothing', async () => {
    const { find, host, done } = show({ type: 'Card', asForm: true, confirm: { label: 'OK', action: { type: 'send' } }, children: [{ type: 'Select', name: 'n', options: many, defaultValue: 'v2' }] });
    const field = find('button.vk-w-select');
    await key(field, '9');
    expect(shownOptions(host)).toEqual(['Label 9', 'Label 19']);
    await key(find('.vk-w-search'), 'Escape');
    expect(host.querySelector('.vk-w-popup')).toBeNull();
    expect(document.activeElement).toBe(field);
    await key(field, '9');
    await key(find('.vk-w-search'), 'Enter');
    expect(done).toEqual([]);
    await press(find('footer button'));
    expect(done[0]?.[1]).toEqual({ n: 'v9' });
  });

  it('searched list: a new default holds until somebody chose', async () => {
    const node = { type: 'Select', name: 'n', searchable: true, options: many };
    const shown = one({ ...node, defaultValue: 'v1' });
    shown.show(card({ ...node, defaultValue: 'v2' }));
    expect((shown.find('button') as HTMLButtonElement).value).toBe('v2');
    await key(shown.find('button'), '5');
    await key(shown.find('.vk-w-search'), 'Enter');
    shown.show(card({ ...node, defaultValue: 'v1' }));
    expect((shown.find('button') as HTMLButtonElement).value).toBe('v5');
  });

  it('day: picked from a calendar by keys, within its bounds', async () => {
    const { find, host, done } = one({ type: 'DatePicker', name: 'n', id: 'd', defaultValue: '2026-11-23', min: '2026-11-05', max: '2027-01-15', onChangeAction: { type: 'day' } });
    const field = find('input[type=date]') as HTMLInputElement;
    const cursor = (): string | undefined => host.querySelector<HTMLElement>('.vk-w-calendar [tabindex="0"]')?.getAttribute('aria-label') ?? undefined;
    await key(field, 'ArrowDown', { altKey: true });
    expect(cursor()).toMatch(/November 23/);
    expect(document.activeElement?.getAttribute('aria-label')).toBe(cursor());
    expect(find('td[aria-selected=true]').textContent).toBe('23');
    const grid = find('[role=grid]');
    for (const [name, expected] of [['ArrowRight', /November 24/], ['ArrowDown', /December 1,/], ['ArrowUp', /November 24/], ['PageDown', /December 24/], ['PageDown', /January 15/], ['PageUp', /December 15/], ['PageUp', /November 15/], ['PageUp', /November 5,/], ['ArrowLeft', /November 5,/]] as const) {
      await key(grid, name);
      expect([name, cursor()]).toEqual([name, expect.stringMatching(expected)]);
    }
    expect(find('.vk-w-turn').getAttribute('aria-disabled')).toBe('true');
    await press(find('[aria-label*="November 3,"]'));
    expect(done).toEqual([]);
    await press(find('[aria-label*="November 12,"]'));
    expect(field.value).toBe('2026-11-12');
    expect(document.activeElement).toBe(field);
    expect(done[0]).toEqual([expect.objectContaining({ type: 'day' }), { n: '2026-11-12' }, 'd']);
    expect(host.querySelector('.vk-w-popup')).toBeNull();
  });

  it('day: no day is none', () => {
    for (const defaultValue of ['soon', '2026-13-45', 7, null]) {
      expect((one({ type: 'DatePicker', name: 'n', defaultValue, disabled: true }).find('input') as HTMLInputElement).value).toBe('');
    }
  });
});

describe('fields of text', () => {
  it.each(['Input', 'Textarea'])('%s: has the focus at first and its words selected, if it is asked for', type => {
    const { find } = one({ type, name: 'n', defaultValue: 'words', autoFocus: true, autoSelect: true });
    const field = find('[data-vk-field]') as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    expect([field.selectionStart, field.selectionEnd]).toEqual([0, 5]);
  });

  it('lets extensions fill in only what says so', () => {
    expect(one({ type: 'Textarea', name: 'n', allowAutofillExtensions: true }).find('textarea').dataset['lpignore']).toBeUndefined();
    expect(one({ type: 'Textarea', name: 'n' }).find('textarea').dataset['lpignore']).toBe('true');
  });
});

describe('updates', () => {
  it('keep what a person typed, and the focus', () => {
    const rows = (value: string): WidgetNode => ({ type: 'Card', children: [{ type: 'Text', id: 't', value }, { type: 'Input', key: 'q', name: 'q' }] });
    const shown = show(rows('a'));
    const field = shown.find('input') as HTMLInputElement;
    field.focus();
    field.value = 'typed';
    shown.show({ type: 'Card', children: [{ type: 'Badge', label: 'new' }, ...(rows('b')['children'] as object[])] });
    expect(shown.find('input')).toBe(field);
    expect(field.value).toBe('typed');
    expect(document.activeElement).toBe(field);
  });

  it('touch nothing but the text that grows', async () => {
    const root: WidgetNode = { type: 'Card', children: [{ type: 'Text', id: 't', value: 'a' }, ...Array.from({ length: 50 }, () => ({ type: 'Badge', label: 'x' }))] };
    const shown = show(root);
    const changes: MutationRecord[] = [];
    const observer = new MutationObserver(records => changes.push(...records));
    observer.observe(shown.host, { subtree: true, childList: true, characterData: true, attributes: true });
    shown.show(applyUpdate(root, { type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'b', done: false }));
    await ticked();
    changes.push(...observer.takeRecords());
    observer.disconnect();
    const places = new Set(changes.map(change => (change.target instanceof Element ? change.target : change.target.parentElement)));
    expect([...places]).toEqual([shown.find('.vk-w-text')]);
    expect(shown.find('.vk-w-text').textContent).toBe('ab');
  });
});

describe('icons', () => {
  it('have ChatKit’s names, and a neutral one for any other', () => {
    expect(ICON_NAMES).toHaveLength(64);
    const path = (name: string): string | null => one({ type: 'Icon', name }).find('path').getAttribute('d');
    expect(path('lucide:globe')).toBe(path('globe'));
    for (const name of ['no-such-icon', '__proto__', 'constructor', 'vendor:acme', '"><script>']) {
      expect(path(name)).toBe(path('unheard of'));
    }
  });
});
