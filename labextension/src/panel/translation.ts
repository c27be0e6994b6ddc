/**
 * The words of the panel in the person's language: a host hands its translations in, gettext style.
 *
 * JupyterLab's `TranslationBundle` fits; where there is none, English stays. Texts stand in the code as
 * `trans.__('…')` and `trans._n('…', '…', n)`, which is what JupyterLab's extraction looks for.
 */

export interface Translator {
  /** Translates a text and puts values for `%1`, `%2` …; `%%` is one `%`. */
  __(text: string, ...values: unknown[]): string;
  /** The form that fits a number, which is `%1`. */
  _n(one: string, many: string, number: number, ...values: unknown[]): string;
}

function fill(text: string, values: readonly unknown[]): string {
  return text.replace(/%%|%(\d+)/g, (_, place?: string) => (place ? String(values[Number(place) - 1]) : '%'));
}

export const ENGLISH: Translator = {
  __: (text, ...values) => fill(text, values),
  _n: (one, many, number, ...values) => fill(number === 1 ? one : many, [number, ...values])
};

/** Stands for an element within a text, e.g. `trans.__('Or hold %1.', HERE)`; `around` parts the text there. */
export const HERE = '\u0001';

export function around(text: string): readonly [before: string, after: string] {
  const cut = text.indexOf(HERE);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + HERE.length)];
}
