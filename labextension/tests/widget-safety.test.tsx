import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { markdownToHtml } from '../src/panel/markup';
import { ChartView } from '../src/panel/widgets/charts';
import type { PartShelf } from '../src/panel/parts';
import { WidgetView } from '../src/panel/widgets';
import { known } from '../src/panel/widgets/draw';
import { isSafeImage } from '../src/panel/widgets/images';
import { attacks as PAYLOADS, fields as TEXT_FIELDS } from '../../tests/data/widget_attacks.json';

const loaded = { markup: { markdownToHtml }, charts: { ChartView } };
const parts = { get: (name: string) => loaded[name as keyof typeof loaded], fetch: async () => {} } as unknown as PartShelf;
const host = document.createElement('div');
document.body.append(host);
afterEach(() => render(null, host));

function draw(root: unknown): void {
  act(() => render(<WidgetView root={root} theme="light" onAction={() => {}} parts={parts} />, host));
}

/** What would run, fetch or take over: nothing of it may come into the page. */
const HARMFUL = 'script, iframe, object, embed, link, meta, base, style, foreignObject, use, animate, set, video, audio, math, template';

function harmless(): void {
  expect([...host.querySelectorAll(HARMFUL)].map(element => element.outerHTML)).toEqual([]);
  for (const element of host.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^(srcdoc|formaction|action|ping|xlink:href)$/i);
      if (['href', 'src'].includes(name)) {
        expect(value).toMatch(/^(https?:|mailto:|data:image\/(png|jpeg|gif|webp);|blob:)/);
      }
      if (name === 'style') {
        expect(value).not.toMatch(/url\(|expression|@import|javascript:|position|z-index|behavior|-moz-binding/i);
      }
    }
  }
}



describe('whatever stands in a widget', () => {
  // What makes Markdown safe needs a real browser: see tests/browser/test_widgets.py.
  it.each(known().filter(type => type !== 'Markdown').map(type => [type]))('%s runs, fetches and restyles nothing', type => {
    for (const payload of PAYLOADS) {
      const fields = Object.fromEntries(TEXT_FIELDS.map(field => [field, payload]));
      const inner = { type: 'Text', ...fields };
      draw({
        ...fields,
        type,
        children: [inner],
        options: [{ value: payload, label: payload, description: payload }],
        status: { text: payload, icon: payload, favicon: payload },
        confirm: { label: payload, action: { type: payload } },
        editable: { name: payload, pattern: payload, placeholder: payload, autoComplete: payload },
        data: [{ [payload]: payload, x: 1 }],
        series: [{ type: payload, dataKey: payload, label: payload, color: payload, stack: payload, curveType: payload }],
        limit: payload, onClickAction: payload
      });
      harmless();
    }
    expect((window as unknown as { pwned?: number }).pwned).toBeUndefined();
  });

  it.each([
    ['an object in place of a text', { type: 'Text', value: { toString: 'x', __html: '<img src=x onerror=1>' } }],
    ['a made-up element', { type: 'Text', value: { type: 'script', props: { children: 'x' }, constructor: undefined } }],
    ['raw HTML', { type: 'Text', value: 'x', dangerouslySetInnerHTML: { __html: '<img src=x onerror=1>' } }],
    ['a component named like a thing of JavaScript', { type: 'constructor', children: [{ type: '__proto__' }, { type: 'toString' }] }],
    ['a component named like an element', { type: 'script', value: 'window.pwned = 1' }],
    ['children that are none', { type: 'Card', children: [null, 1, 'x', [], { type: 7 }, { children: [] }] }],
    ['options that are none', { type: 'Select', name: 'x', options: [null, 'x', { value: {} }] }],
    ['handlers', { type: 'Button', label: 'x', onClick: 'alert(1)', onClickAction: { type: 'go', handler: 'evil', loadingBehavior: {} } }],
    ['numbers beyond all bounds', { type: 'Textarea', name: 'x', rows: 1e9, maxRows: Infinity }],
    ['a chart without sense', { type: 'Chart', data: 'x', series: [{ type: 'pie' }], xAxis: { dataKey: {}, labels: [] } }],
    ['a table of anything', { type: 'Table', children: [{ type: 'Text', value: 'x' }, { type: 'Table.Row', children: [{ type: 'Text' }] }] }]
  ])('%s does nothing', (_, node) => {
    draw({ type: 'Card', children: [node] });
    harmless();
  });

  it('runs nothing either where it is opened beside a control', () => {
    for (const payload of PAYLOADS) {
      const options = [{ value: payload, label: payload, description: payload }, { value: 'b', label: payload }];
      const named = { name: payload, placeholder: payload, side: payload, align: payload, min: payload, max: payload };
      draw({ type: 'Card', children: [{ ...named, type: 'Select', key: 's', searchable: true, options }, { ...named, type: 'DatePicker', key: 'd' }] });
      for (const opener of host.querySelectorAll<HTMLElement>('[aria-haspopup=dialog]')) {
        act(() => opener.click());
        harmless();
        expect(host.querySelector('.vk-w-popup')).not.toBeNull();
        act(() => opener.click());
      }
    }
    expect((window as unknown as { pwned?: number }).pwned).toBeUndefined();
  });

  it('with polluting keys leaves every other object as it is', () => {
    draw(JSON.parse('{"type":"Card","__proto__":{"polluted":1},"children":[{"type":"Input","name":"__proto__.polluted","defaultValue":"1","__proto__":{"polluted":1}}]}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('may be no widget at all', () => {
    for (const root of [null, undefined, 7, 'text', [], {}, { type: '' }, { type: 'Card' }, { type: 'ListView', children: 'x' }]) {
      draw(root);
      harmless();
    }
  });
});

describe('pictures', () => {
  it.each([
    'https://example.org/a.png', 'data:image/png;base64,iVBORw0=', 'data:image/jpeg;base64,AA==', 'data:image/gif;base64,AA==',
    'data:image/webp;base64,AA==', 'blob:https://example.org/6a1c-42'
  ])('may come from %s', source => expect(isSafeImage(source)).toBe(true));

  it.each([
    'http://example.org/a.png', '//example.org/a.png', '/api/contents', 'a.png', 'javascript:alert(1)', 'data:image/svg+xml;base64,AA==',
    'data:text/html;base64,AA==', 'data:image/png,x', 'https://user:secret@example.org/', 'file:///etc/passwd', 'ftp://x/y', '', 'blob:"x"',
    null, 7, {}
  ])('may not come from %j', source => expect(isSafeImage(source)).toBe(false));
});
