/**
 * The words of the panel in the person's language: the host's translations, gettext style, else our own.
 *
 * JupyterLab's `TranslationBundle` fits. Where the host has nothing for a text, the catalogue of the
 * session's language has it (a part that is loaded when a session speaks that language), and else English
 * stays. Texts stand in the code as `trans.__('…')` and `trans._n('…', '…', n)`, which is what JupyterLab's
 * extraction looks for, and the test that holds the catalogues complete.
 */

export interface Translator {
  /** Translates a text and puts values for `%1`, `%2` …; `%%` is one `%`. */
  __(text: string, ...values: unknown[]): string;
  /** The form that fits a number, which is `%1`. */
  _n(one: string, many: string, number: number, ...values: unknown[]): string;
  /** How dates and numbers are written; as the browser has it, if not given. */
  readonly locale?: string | undefined;
}

/** Texts by their English; those that count, by their English singular, as singular and plural. */
export type Catalogue = Readonly<Record<string, string | readonly string[]>>;

/** The parts that are catalogues, by ISO 639-1. */
export const CATALOGUES: Readonly<Record<string, 'german'>> = { de: 'german' };
const SOURCE = 'en';

const HOME: Readonly<Record<string, string>> = { en: 'en-US', de: 'de-DE' };

/** The person's own variety of a language, e.g. `en-GB`, where the browser knows it. */
export function localeOf(language: string): string {
  const own = navigator.languages.find(each => each.toLowerCase().startsWith(`${language}-`));
  return own ?? HOME[language] ?? language;
}

function fill(text: string, values: readonly unknown[]): string {
  return text.replace(/%%|%(\d+)/g, (_, place?: string) => (place ? String(values[Number(place) - 1]) : '%'));
}

export const ENGLISH: Translator = {
  __: (text, ...values) => fill(text, values),
  _n: (one, many, number, ...values) => fill(number === 1 ? one : many, [number, ...values])
};

/** One language throughout, which is the session's once that is known: the host's words in it, else ours. */
export class Words implements Translator {
  locale: string | undefined;
  private texts: Catalogue = {};
  private chosen: Translator;

  /** @param language of the host's translations; without it they are used whatever a session speaks. */
  constructor(
    private readonly host: Translator = ENGLISH,
    private readonly language = ''
  ) {
    this.chosen = host;
  }

  /** Uses a language from now on; what has been drawn stays as it is until it is drawn again. */
  speak(language: string, texts: Catalogue): void {
    const ours = language === SOURCE || language in CATALOGUES;
    this.chosen = ours && this.language && this.language !== language ? ENGLISH : this.host;
    this.texts = texts;
    this.locale = localeOf(language);
  }

  __(text: string, ...values: unknown[]): string {
    const own = this.texts[text];
    const theirs = this.chosen.__(text, ...values);
    return typeof own === 'string' && theirs === ENGLISH.__(text, ...values) ? fill(own, values) : theirs;
  }

  _n(one: string, many: string, number: number, ...values: unknown[]): string {
    const own = this.texts[one];
    const theirs = this.chosen._n(one, many, number, ...values);
    return own !== undefined && typeof own !== 'string' && theirs === ENGLISH._n(one, many, number, ...values)
      ? fill(own[number === 1 ? 0 : 1] ?? many, [number, ...values])
      : theirs;
  }
}

/** Stands for an element within a text, e.g. `trans.__('Or hold %1.', HERE)`; `around` parts the text there. */
export const HERE = '\u0001';

export function around(text: string): readonly [before: string, after: string] {
  const cut = text.indexOf(HERE);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + HERE.length)];
}
