/**
 * Terminal output as safe HTML: colours become classes, everything else is escaped.
 *
 * Responsible for what a terminal would show of a short text. It does not keep state between texts: whoever
 * shows lines one by one hands over what the lines above left switched on (`carriedBy`).
 */
import { AnsiUp } from 'ansi_up';

// OSC (titles, hyperlinks: their text stays), string sequences, and a sequence cut off at the end.
const NOT_COLOUR = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b(?:\[[\d;?]*)?$/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;
const COLOUR = /\x1b\[[\d;]*m/g;
const ANY_SEQUENCE = /\x1b\[[\d;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]/g;
const MAX_CARRIED = 8;

/** Keeps of every line what was written last: progress bars return to the line's start with `\r`. */
export function collapseReturns(text: string): string {
  if (!text.includes('\r')) {
    return text;
  }
  return text
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map(line => {
      const kept = line.replace(/\r+$/, '');
      return kept.slice(kept.lastIndexOf('\r') + 1);
    })
    .join('\n');
}

export function ansiToHtml(text: string): string {
  const converter = new AnsiUp();
  converter.use_classes = true;
  const plain = collapseReturns(text.replace(NOT_COLOUR, '')).replace(CONTROL, '');
  return converter.ansi_to_html(plain);
}

/** The text alone, as it can be read and searched. */
export function withoutAnsi(text: string): string {
  return collapseReturns(text.replace(NOT_COLOUR, '')).replace(ANY_SEQUENCE, '').replace(CONTROL, '');
}

/** The colours that are still on after a line, given those before it: what the next line begins with. */
export function carriedBy(line: string, carried = ''): string {
  if (!line.includes('\x1b')) {
    return carried;
  }
  let on: string[] = carried === '' ? [] : [...(carried.match(COLOUR) ?? [])];
  for (const code of line.match(COLOUR) ?? []) {
    on = /^\x1b\[0*m$/.test(code) ? [] : [...on, code];
  }
  return on.slice(-MAX_CARRIED).join('');
}

/** Marks every place of `query`, whatever its case, in HTML made by `ansiToHtml`. */
export function highlight(html: string, query: string): string {
  if (query === '') {
    return html;
  }
  const parts = html.match(/<[^>]*>|&[#\w]+;|[^<&]+|[<&]/g) ?? [];
  const text = parts.map(part => (part.startsWith('<') && part.length > 1 ? '' : decoded(part))).join('');
  const places = [...text.matchAll(new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi'))].map(
    found => [found.index, found.index + found[0].length] as const
  );
  if (places.length === 0) {
    return html;
  }
  let at = 0;
  let place = 0;
  let marked = '';
  for (const part of parts) {
    if (part.startsWith('<') && part.length > 1) {
      marked += part;
      continue;
    }
    const entity = part.startsWith('&') && part.length > 1;
    const end = at + decoded(part).length;
    let from = at;
    while (from < end) {
      while (place < places.length && places[place]![1] <= from) {
        place++;
      }
      const [start, stop] = places[place] ?? [Infinity, Infinity];
      const inside = start <= from;
      const to = Math.min(end, inside ? stop : start);
      const piece = entity ? part : part.slice(from - at, to - at);
      marked += inside ? `<mark>${piece}</mark>` : piece;
      from = to;
    }
    at = end;
  }
  return marked;
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" };

function decoded(part: string): string {
  return ENTITIES[part] ?? part;
}
