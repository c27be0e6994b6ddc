/**
 * Untrusted rich text made safe: a model's Markdown, and the HTML of a cell's output.
 *
 * Responsible for what may pass: no script, no style sheet, no form, no frame, and nothing that fetches by
 * itself (a remote image tells its server who reads; it becomes a link).
 */
import DOMPurify from 'dompurify';
import { Marked } from 'marked';

const marked = new Marked({ gfm: true, breaks: true });
const FORBIDDEN_TAGS = [
  'style', 'link', 'form', 'input', 'button', 'textarea', 'select', 'iframe', 'object', 'embed', 'video',
  'audio', 'source', 'picture', 'svg', 'math', 'template', 'dialog'
];
const FORBIDDEN_ATTRIBUTES = [
  'style', 'id', 'class', 'name', 'srcset', 'background', 'ping', 'autofocus', 'tabindex',
  'border', 'bgcolor', 'width', 'height', 'align', 'cellpadding', 'cellspacing'
];

let purify: ReturnType<typeof DOMPurify> | undefined;

function purifier(): ReturnType<typeof DOMPurify> {
  if (purify) {
    return purify;
  }
  // An instance of our own: hooks on the shared one would change the host page's sanitising.
  purify = DOMPurify(window);
  purify.addHook('afterSanitizeAttributes', node => {
    if (node.nodeName === 'A') {
      const href = node.getAttribute('href') ?? '';
      if (/^(https?:|mailto:)/i.test(href)) {
        node.setAttribute('target', '_blank');
        node.setAttribute('rel', 'noopener noreferrer');
      } else {
        node.removeAttribute('href');
      }
    }
    if (node.nodeName === 'IMG') {
      const source = node.getAttribute('src') ?? '';
      if (!/^data:image\/(png|jpeg|gif|webp);/i.test(source)) {
        const label = `[image: ${node.getAttribute('alt') || source}]`;
        const replacement = node.ownerDocument.createElement(/^https?:/i.test(source) ? 'a' : 'span');
        replacement.textContent = label;
        if (replacement.nodeName === 'A') {
          replacement.setAttribute('href', source);
          replacement.setAttribute('target', '_blank');
          replacement.setAttribute('rel', 'noopener noreferrer');
        }
        node.parentNode?.replaceChild(replacement, node);
      }
    }
    // The corner of a table of numbers heads nothing.
    if (node.nodeName === 'TH' && !node.textContent?.trim()) {
      node.setAttribute('role', 'presentation');
    }
    // Scrollable by keyboard: wide tables and code are boxes of their own.
    if (node.nodeName === 'PRE') {
      node.setAttribute('tabindex', '0');
    }
  });
  return purify;
}

export function sanitizeHtml(html: string): string {
  const safe = purifier();
  if (!safe.isSupported) {
    // DOMPurify would hand everything through.
    return '';
  }
  return safe.sanitize(html, {
    FORBID_TAGS: FORBIDDEN_TAGS,
    FORBID_ATTR: FORBIDDEN_ATTRIBUTES,
    ALLOW_DATA_ATTR: false
  });
}

export function markdownToHtml(markdown: string): string {
  return sanitizeHtml(marked.parse(markdown, { async: false }));
}
