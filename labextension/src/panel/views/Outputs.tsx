/** Outputs of code, each in the richest form that is safe to show. */
import { useMemo } from 'preact/hooks';
import type { Output } from '../../messages.gen';
import { ansiToHtml } from '../ansi';
import { usePanel } from './context';
import { usePart } from './hooks';
import { WIDGET_MIME, WidgetBox, widgetsIn } from './Widgets';
import { memo } from './memo';

const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

function imageSource(data: Output['data']): string | null {
  for (const mime of IMAGES) {
    const base64 = data[mime];
    if (base64) {
      return `data:${mime};base64,${base64.replace(/\s/g, '')}`;
    }
  }
  // As an image an SVG can neither run scripts nor reach the page.
  const svg = data['image/svg+xml'];
  return svg ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` : null;
}

export function Terminal({ text, label }: { text: string; label: string }) {
  const html = useMemo(() => ({ __html: ansiToHtml(text) }), [text]);
  return <pre class="vk-pre" tabIndex={0} role="group" aria-label={label} dangerouslySetInnerHTML={html} />;
}

export function Markdown({ text }: { text: string }) {
  const markup = usePart('markup');
  const html = useMemo(() => markup && { __html: markup.markdownToHtml(text) }, [markup, text]);
  return html ? <div class="vk-prose" dangerouslySetInnerHTML={html} /> : <div class="vk-prose vk-plain">{text}</div>;
}

function Rich({ data }: { data: Output['data'] }) {
  const { trans } = usePanel();
  const widgets = useMemo(() => widgetsIn(data[WIDGET_MIME]), [data]);
  const image = useMemo(() => imageSource(data), [data]);
  const source = widgets ? undefined : data['text/html'];
  const markup = usePart('markup', source !== undefined);
  const html = useMemo(() => (source && markup ? markup.sanitizeHtml(source) : ''), [markup, source]);
  if (widgets) {
    return (
      <>
        {widgets.map(widget => (
          <WidgetBox key={widget.id} widget={widget} />
        ))}
      </>
    );
  }
  if (image) {
    return <img class="vk-image" src={image} alt={data['text/plain'] || trans.__('Figure')} />;
  }
  // Only what still says something without its scripts and styles.
  if (html && /<(table|p|div|ul|ol|pre|h\d|b|img)\b/i.test(html) && html.replace(/<[^>]*>/g, '').trim()) {
    return (
      <div
        class="vk-prose vk-html"
        tabIndex={0}
        role="group"
        aria-label={trans.__('Output')}
        dangerouslySetInnerHTML={{ __html: html }}
      />
    );
  }
  if (data['text/markdown']) {
    return <Markdown text={data['text/markdown']} />;
  }
  const plain = data['text/plain'] ?? data['application/json'] ?? '';
  return plain ? <Terminal text={plain} label={trans.__('Output')} /> : null;
}

export const OutputView = memo(function OutputView({ output }: { output: Output }) {
  const { trans } = usePanel();
  switch (output.kind) {
    case 'stream':
      return <Terminal text={output.text} label={trans.__('Printed output')} />;
    case 'error':
      return (
        <div class="vk-traceback">
          <Terminal text={output.text} label={trans.__('Traceback')} />
        </div>
      );
    case 'display':
    case 'result':
      return <Rich data={output.data} />;
  }
});
