/**
 * Sizes, spacing, borders and colours of a widget as CSS, by an allow-list.
 *
 * Responsible for letting only tokens and numbers through: a text that is not wholly one of the known forms
 * is no style at all, so none can reach out of its property. It does not know components.
 */
import { type WidgetNode, flag, isRecord, pick, whole } from './node';

/** CSS properties and their values, as Preact sets them: one by one, never as a text. */
export type Style = Record<string, string>;

/** Pixels; whatever asks for more gets this. */
const MAX_PX = 4_096;
/** One unit of spacing. */
const UNIT_PX = 4;

const UNITS: Readonly<Record<string, number>> = {
  px: MAX_PX, '%': 1_000, rem: 256, em: 256, ch: 512, vw: 100, vh: 100
};
const KEYWORDS = ['auto', 'fit-content', 'min-content', 'max-content'];

function measured(value: string): string | undefined {
  const found = /^(-?\d{0,6}(?:\.\d{1,6})?)(px|%|rem|em|ch|vw|vh)$/.exec(value);
  const number = found?.[1] ? Number(found[1]) : NaN;
  const unit = found?.[2];
  return unit && Number.isFinite(number) ? `${Math.min(number, UNITS[unit] ?? 0)}${unit}` : undefined;
}

/** A length: a number of pixels, or a text such as `50%`, `12rem` or `calc(100% - 24px)`. */
export function lengthOf(value: unknown): string | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) && value >= 0 ? `${Math.min(value, MAX_PX)}px` : undefined;
  }
  if (typeof value !== 'string' || value.length > 64) {
    return undefined;
  }
  const word = value.trim();
  if (/^\d+(\.\d+)?$/.test(word)) {
    return lengthOf(Number(word));
  }
  if (KEYWORDS.includes(word)) {
    return word;
  }
  const inner = /^calc\(([^()]+)\)$/.exec(word)?.[1];
  if (inner) {
    const terms = inner.trim().split(/\s+/);
    const fine = terms.every((term, at) =>
      at % 2 === 1 ? /^[-+*/]$/.test(term) : measured(term) !== undefined || /^\d{1,4}(\.\d+)?$/.test(term)
    );
    return fine && terms.length % 2 === 1 ? `calc(${terms.join(' ')})` : undefined;
  }
  const found = measured(word);
  return found?.startsWith('-') ? undefined : found;
}

/** Spacing: a number of units of 4 px, or a length as a text. Only a margin may be negative. */
export function spaceOf(value: unknown, negative = false): string | undefined {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number') {
    const px = Math.min(number * UNIT_PX, MAX_PX);
    return Number.isFinite(px) && (px >= 0 || negative) ? `${Math.max(px, -UNIT_PX * 16)}px` : undefined;
  }
  return lengthOf(value);
}

const HUES: Readonly<Record<string, readonly [hue: number, chroma: number]>> = {
  gray: [260, 0.008], slate: [250, 0.03], red: [25, 0.2], orange: [52, 0.17], amber: [75, 0.16],
  yellow: [95, 0.16], lime: [125, 0.18], green: [148, 0.16], emerald: [160, 0.14], teal: [185, 0.11],
  cyan: [210, 0.12], sky: [235, 0.14], blue: [256, 0.19], indigo: [275, 0.19], violet: [292, 0.2],
  purple: [304, 0.2], fuchsia: [322, 0.21], pink: [352, 0.19], rose: [14, 0.2]
};

/** `blue-500`, from light (25) to dark (1000): the shade gives the lightness, the middle is the most vivid. */
function primitive(word: string): string | undefined {
  const found = /^([a-z]{3,8})-(\d{1,4})$/.exec(word);
  const name = found?.[1] ?? '';
  const shade = Number(found?.[2]);
  if (!found || shade > 1_000) {
    return undefined;
  }
  if (name === 'alpha') {
    return `color-mix(in srgb, var(--vk-w-fg) ${Math.min(100, shade)}%, transparent)`;
  }
  const hue = Object.hasOwn(HUES, name) ? HUES[name] : undefined;
  if (!hue) {
    return undefined;
  }
  const dark = shade / 1_000;
  const light = 98.5 - 80 * dark ** 1.05;
  const chroma = hue[1] * Math.min(1, 0.06 + 4 * dark * (1 - dark * 0.62) * 0.78);
  return `oklch(${light.toFixed(1)}% ${chroma.toFixed(3)} ${hue[0]})`;
}

const FUNCTION = /^(rgba?|hsla?|oklch|oklab|hwb)\(\s*[\d.]+(deg|%)?(\s*[,\s/]\s*-?[\d.]+(deg|%)?){2,3}\s*\)$/;

/** A colour as CSS writes it, as far as it is one number or one word. */
function literal(word: string): string | undefined {
  if (/^#([\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/i.test(word) || FUNCTION.test(word)) {
    return word;
  }
  // The name of a colour; a word that is none is refused by the property it is set on.
  return /^[a-z]{3,20}$/i.test(word) ? word : undefined;
}

export type Tokens = Readonly<Record<string, string>>;

export const TEXT_COLOURS: Tokens = {
  prose: 'var(--vk-w-fg)', primary: 'var(--vk-w-fg)', emphasis: 'var(--vk-w-strong)',
  secondary: 'var(--vk-w-secondary)', tertiary: 'var(--vk-w-tertiary)', success: 'var(--vk-w-success)',
  warning: 'var(--vk-w-warning)', danger: 'var(--vk-w-danger)'
};
export const SURFACES: Tokens = {
  surface: 'var(--vk-w-bg)', 'surface-secondary': 'var(--vk-w-surface-2)',
  'surface-tertiary': 'var(--vk-w-surface-3)', 'surface-elevated': 'var(--vk-w-raised)',
  'surface-elevated-secondary': 'var(--vk-w-raised-2)'
};
export const LINES: Tokens = {
  default: 'var(--vk-w-line)', subtle: 'var(--vk-w-line-subtle)', strong: 'var(--vk-w-line-strong)'
};
export const SERIES: Tokens = {
  blue: 'light-dark(#2563c9, #6ea8fe)', purple: 'light-dark(#7a4bc4, #b794f6)',
  orange: 'light-dark(#c2570c, #f59e5b)', green: 'light-dark(#23803c, #6fcf84)',
  red: 'light-dark(#c0322b, #ff8a80)', yellow: 'light-dark(#97700a, #ecc94b)',
  pink: 'light-dark(#c02672, #f58cc0)'
};

/** A colour: a token of the place, a primitive such as `red-100`, a CSS colour, or one for each theme. */
export function colourOf(value: unknown, tokens: Tokens): string | undefined {
  if (typeof value === 'string') {
    const word = value.trim();
    return word.length > 64
      ? undefined
      : Object.hasOwn(tokens, word)
        ? tokens[word]
        : (primitive(word) ?? literal(word));
  }
  if (isRecord(value)) {
    const light = typeof value['light'] === 'string' ? colourOf(value['light'], tokens) : undefined;
    const dark = typeof value['dark'] === 'string' ? colourOf(value['dark'], tokens) : undefined;
    return light && dark ? `light-dark(${light}, ${dark})` : (light ?? dark);
  }
  return undefined;
}

const RADII: Readonly<Record<string, string>> = {
  '2xs': '2px', xs: '4px', sm: '6px', md: '8px', lg: '10px', xl: '12px', '2xl': '16px', '3xl': '20px',
  '4xl': '24px', full: '9999px', '100%': '100%', none: '0px'
};
const ALIGN: Readonly<Record<string, string>> = {
  start: 'flex-start', center: 'center', end: 'flex-end', baseline: 'baseline', stretch: 'stretch'
};
const JUSTIFY: Readonly<Record<string, string>> = {
  start: 'flex-start', center: 'center', end: 'flex-end', between: 'space-between', around: 'space-around',
  evenly: 'space-evenly', stretch: 'stretch'
};
const BORDER_STYLES = ['solid', 'dashed', 'dotted', 'double', 'groove', 'ridge', 'inset', 'outset'] as const;

/** What a token stands for; never a property that every object has. */
function token(value: unknown, tokens: Readonly<Record<string, string>>): string | undefined {
  return typeof value === 'string' && Object.hasOwn(tokens, value) ? tokens[value] : undefined;
}

/** The style without what is undefined. */
function made(style: Readonly<Record<string, string | undefined>>): Style {
  const kept: Style = {};
  // A plain loop: a table of a thousand texts comes by here.
  for (const property in style) {
    const value = style[property];
    if (value !== undefined) {
      kept[property] = value;
    }
  }
  return kept;
}

function sides(value: unknown, property: 'padding' | 'margin'): Style {
  if (value === undefined) {
    return {};
  }
  const negative = property === 'margin';
  if (!isRecord(value)) {
    return made({ [property]: spaceOf(value, negative) });
  }
  const side = (name: string, axis: string): string | undefined =>
    spaceOf(value[name], negative) ?? spaceOf(value[axis], negative);
  return made({
    [`${property}Top`]: side('top', 'y'),
    [`${property}Right`]: side('right', 'x'),
    [`${property}Bottom`]: side('bottom', 'y'),
    [`${property}Left`]: side('left', 'x')
  });
}

function edge(value: unknown): string | undefined {
  const border = typeof value === 'number' ? { size: value } : value;
  if (!isRecord(border)) {
    return undefined;
  }
  const size = whole(border, 'size', 0, 64);
  const kind = pick(border, 'style', BORDER_STYLES) ?? 'solid';
  return size === undefined ? undefined : `${size}px ${kind} ${colourOf(border['color'], LINES) ?? LINES['default']}`;
}

/** A border: pixels, one border for all edges, or one for each. */
export function borderOf(value: unknown): Style {
  if (!isRecord(value) || 'size' in value) {
    return made({ border: edge(value) });
  }
  return made({
    borderTop: edge(value['top']) ?? edge(value['y']),
    borderRight: edge(value['right']) ?? edge(value['x']),
    borderBottom: edge(value['bottom']) ?? edge(value['y']),
    borderLeft: edge(value['left']) ?? edge(value['x'])
  });
}

/** `16/9`, `1.5` or `auto`. */
function ratioOf(value: unknown): string | undefined {
  const word = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  return word === 'auto' || /^\d{1,4}(\.\d{1,4})?(\s*\/\s*\d{1,4}(\.\d{1,4})?)?$/.test(word) ? word : undefined;
}

function flexOf(value: unknown): string | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) && value >= 0 ? String(Math.min(value, 1_000)) : undefined;
  }
  const word = typeof value === 'string' ? value.trim() : '';
  return /^(auto|none|initial|\d{1,3}(\.\d+)?(\s+\d{1,3}(\.\d+)?)?(\s+(auto|\d{1,4}(px|%)?))?)$/.test(word) ? word : undefined;
}

/** Width, height and their bounds, margin, radius, ratio, flex and ground: what any block may have. */
export function blockStyle(node: WidgetNode): Style {
  const size = lengthOf(node['size']);
  const least = lengthOf(node['minSize']);
  const most = lengthOf(node['maxSize']);
  return {
    ...made({
      width: lengthOf(node['width']) ?? size,
      height: lengthOf(node['height']) ?? size,
      minWidth: lengthOf(node['minWidth']) ?? least,
      minHeight: lengthOf(node['minHeight']) ?? least,
      maxWidth: lengthOf(node['maxWidth']) ?? most,
      maxHeight: lengthOf(node['maxHeight']) ?? most,
      borderRadius: token(node['radius'], RADII),
      aspectRatio: ratioOf(node['aspectRatio']),
      flex: flexOf(node['flex']),
      backgroundColor: colourOf(node['background'], SURFACES)
    }),
    ...sides(node['margin'], 'margin')
  };
}

export function paddingOf(node: WidgetNode): Style {
  return sides(node['padding'], 'padding');
}

/** How a box lays its children out. */
export function layoutStyle(node: WidgetNode): Style {
  return {
    ...made({
      gap: spaceOf(node['gap']),
      alignItems: token(node['align'], ALIGN),
      justifyContent: token(node['justify'], JUSTIFY),
      flexWrap: pick(node, 'wrap', ['nowrap', 'wrap', 'wrap-reverse'])
    }),
    ...paddingOf(node)
  };
}

export function boxStyle(node: WidgetNode): Style {
  return { ...blockStyle(node), ...layoutStyle(node), ...borderOf(node['border']) };
}

const WEIGHTS = { normal: '400', medium: '500', semibold: '600', bold: '700' };

/** Colour, weight, alignment and clamping of a text. */
export function textStyle(node: WidgetNode): Style {
  const lines = whole(node, 'maxLines', 1, 200);
  const least = whole(node, 'minLines', 1, 200);
  return made({
    color: colourOf(node['color'], TEXT_COLOURS),
    fontWeight: token(node['weight'], WEIGHTS),
    textAlign: pick(node, 'textAlign', ['start', 'center', 'end']),
    fontStyle: flag(node, 'italic') ? 'italic' : undefined,
    textDecoration: flag(node, 'lineThrough') ? 'line-through' : undefined,
    width: lengthOf(node['width']),
    '--vk-w-lines': lines === undefined ? undefined : String(lines),
    minHeight: least === undefined ? undefined : `${least}lh`
  });
}
