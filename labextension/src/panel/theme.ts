/**
 * Tells whether the page behind the panel is light or dark, in whatever front end it lives.
 *
 * Surfaces and fonts come from the front end's own variables; the few colours that carry a meaning are ours,
 * and need to know on which ground they stand.
 */
export type Theme = 'light' | 'dark';

/** Relative luminance, 0 to 1, of an `rgb()` or `rgba()` colour; null when transparent or unknown. */
export function luminance(colour: string): number | null {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  if (!colour.startsWith('rgb') || !parts || parts.length < 3 || parts[3] === 0) {
    return null;
  }
  const [r, g, b] = parts.map(part => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function themeOf(element: Element): Theme {
  for (let node: Element | null = element; node; node = node.parentElement) {
    const value = luminance(getComputedStyle(node).backgroundColor);
    if (value !== null) {
      return value < 0.35 ? 'dark' : 'light';
    }
  }
  return 'light';
}

/** Keeps `data-vk-theme` of an element in step with the page; returns how to stop. */
export function followTheme(root: HTMLElement): () => void {
  const apply = (): void => {
    const theme = themeOf(root);
    if (root.dataset['vkTheme'] !== theme) {
      root.dataset['vkTheme'] = theme;
    }
  };
  apply();
  // JupyterLab names its theme on the body; others swap classes or style sheets.
  const observer = new MutationObserver(() => requestAnimationFrame(apply));
  const options = { attributes: true, attributeFilter: ['class', 'style', 'data-jp-theme-light', 'data-jp-theme-name', 'data-theme'] };
  observer.observe(document.body, options);
  observer.observe(document.documentElement, options);
  const scheme = window.matchMedia?.('(prefers-color-scheme: dark)');
  scheme?.addEventListener?.('change', apply);
  // A style sheet that loads late changes no attribute.
  const later = setTimeout(apply, 1_000);
  return () => {
    observer.disconnect();
    scheme?.removeEventListener?.('change', apply);
    clearTimeout(later);
  };
}
