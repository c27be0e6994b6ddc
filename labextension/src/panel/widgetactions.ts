/**
 * What a widget's `handler: "client"` actions may do in the page: a short list, and nothing else.
 *
 * Whoever wrote the widget wrote them; a person has clicked. A link is opened only after it was shown, since a
 * button may be called anything. What concerns cells goes to the kernel's tools, as `handler: "server"`.
 */
import { copyText } from './clipboard';
import type { Translator } from './translation';

/** An action as the renderer tells it. */
export interface Clicked {
  readonly type: string;
  readonly payload?: unknown;
  readonly handler: 'server' | 'client';
  readonly loadingBehavior: 'auto' | 'none' | 'self' | 'container';
}

const SCHEMES: ReadonlySet<string> = new Set(['https:', 'http:', 'mailto:']);
const MAX_ADDRESS_CHARS = 4_000;
const MAX_COPY_CHARS = 100_000;

function field(payload: unknown, name: string): string {
  const value = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The address, if it is one that may be opened: absolute, and of the web or of mail. */
export function openable(address: string): URL | null {
  if (!address || address.length > MAX_ADDRESS_CHARS || !URL.canParse(address)) {
    return null;
  }
  const url = new URL(address);
  return SCHEMES.has(url.protocol) && !url.username && !url.password ? url : null;
}

/** Carries a client action out; rejects, with words for a person, what is none. */
export async function actInPage(
  action: Clicked,
  trans: Translator,
  confirm: (question: string) => boolean = question => window.confirm(question)
): Promise<void> {
  switch (action.type) {
    case 'open_link': {
      const url = openable(field(action.payload, 'url'));
      if (!url) {
        throw new Error(trans.__('This link cannot be opened.'));
      }
      if (confirm(trans.__('Open %1 in a new tab?', url.href))) {
        window.open(url.href, '_blank', 'noopener,noreferrer');
      }
      return;
    }
    case 'copy_text': {
      const text = field(action.payload, 'text');
      if (text.length > MAX_COPY_CHARS) {
        throw new Error(trans.__('This is too long to copy.'));
      }
      await copyText(text);
      return;
    }
    default:
      throw new Error(trans.__('This page cannot do “%1”.', action.type));
  }
}
