/**
 * Terminal output as safe HTML: colours become classes, everything else is escaped.
 *
 * Responsible for what a terminal would show of a short text. It does not keep state between texts.
 */
import { AnsiUp } from 'ansi_up';

// OSC (titles, hyperlinks: their text stays), string sequences, and a sequence cut off at the end.
const NOT_COLOUR = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b(?:\[[\d;?]*)?$/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;

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
