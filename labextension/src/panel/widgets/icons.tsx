/** The icons of widgets by ChatKit's names, as strokes on a 24 grid; an unknown name gets a neutral one. */
import { pick, text } from './node';
import type { ViewProps } from './scope';
import { TEXT_COLOURS, colourOf } from './style';

const CIRCLE = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z';
const PAGE = 'M6 3h8l4 4v14H6ZM14 3v4h4';
const SQUARE = 'M4 4h16v16H4Z';
const STAR = 'M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9L3.5 9.7l5.9-.8Z';
const PEN = 'M4 20h4L19 9l-4-4L4 16ZM13 7l4 4';
const PERSON = 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6';
const BOOK = 'M4 5c3-1 6-1 8 1 2-2 5-2 8-1v13c-3-1-6-1-8 1-2-2-5-2-8-1ZM12 6v13';

const PATHS: Readonly<Record<string, string>> = {
  agent: 'M7 8h10a3 3 0 0 1 3 3v5a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3v-5a3 3 0 0 1 3-3ZM12 8V4M9 13v1.5M15 13v1.5',
  analytics: 'M4 20h16M6 16l4-5 3.5 3L19 6M15 6h4v4',
  atom: 'M12 11v2M12 8.5c5.5 0 9 1.5 9 3.5s-3.5 3.5-9 3.5S3 14 3 12s3.5-3.5 9-3.5ZM9 10.3c2.7-4.8 5.8-7.1 7.5-6.1s1.2 4.8-1.5 9.6-5.8 7.1-7.5 6.1-1.2-4.8 1.5-9.6Z',
  batch: 'M4 8l8-4 8 4-8 4ZM4 12l8 4 8-4M4 16l8 4 8-4',
  bolt: 'M13 3 6 13h5l-1 8 8-11h-5.5Z',
  'book-open': BOOK,
  'book-closed': 'M6 4h12v16H7a2 2 0 0 1-2-2V5.5A1.5 1.5 0 0 1 6.5 4M5.5 17.5C6 16.5 6.5 16 7.5 16H18',
  'book-clock': 'M17 9V4H5v14.5A1.5 1.5 0 0 0 6.5 20H9M16 12a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM16 14.5v2.2l1.5 1',
  bug: 'M8.5 9h7v6.5a3.5 3.5 0 0 1-7 0ZM9 9a3 3 0 0 1 6 0M8.5 12H4M20 12h-4.5M8.5 15.5 5 18M15.5 15.5 19 18M9 6 7 4M15 6l2-2',
  calendar: 'M4 6h16v14H4ZM4 10.5h16M8 3.5V8M16 3.5V8',
  chart: 'M4 20h16M7 20v-7M12 20V5M17 20v-10',
  check: 'M5 12.5 10 17 19 7',
  'check-circle': `${CIRCLE}M8 12.2l3 2.8 5-5.5`,
  'check-circle-filled': `${CIRCLE}M8 12.2l3 2.8 5-5.5`,
  'chevron-left': 'M15 6l-6 6 6 6',
  'chevron-right': 'M9 6l6 6-6 6',
  'circle-question': `${CIRCLE}M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M12 16.5h.01`,
  clock: `${CIRCLE}M12 7.5V12l3 2`,
  compass: `${CIRCLE}M15.5 8.5l-2 5-5 2 2-5Z`,
  confetti: 'M4 20l4.5-11L15 15.5ZM13 8c2 0 2.5-1.5 2.5-4M16 11c2-2 3.5-1 5-2.5M18 4.5h.01M20.5 14h.01M10.5 4h.01',
  cube: 'M12 3l8 4.5v9L12 21l-8-4.5v-9ZM4 7.5l8 4.5 8-4.5M12 12v9',
  desktop: 'M3 5h18v11H3ZM12 16v4M8 20h8',
  document: `${PAGE}M9 12h6M9 16h6`,
  dot: 'M12 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z',
  'dots-horizontal': 'M6 12h.01M12 12h.01M18 12h.01',
  'dots-vertical': 'M12 6h.01M12 12h.01M12 18h.01',
  'empty-circle': CIRCLE,
  'external-link': 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  globe: `${CIRCLE}M3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3Z`,
  images: 'M7 7h13v13H7ZM4 16V4h12M7 17l4-4 3 3 2.5-2.5L20 17M15.5 10.5h.01',
  info: `${CIRCLE}M12 11v5.5M12 7.5h.01`,
  keys: 'M8 12a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM11 13.5 19.5 5M16 8.5l3 3M18.5 6l2 2',
  lab: 'M9 3h6M10 3v6l-5.5 9.5A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.5L14 9V3M7.5 15h9',
  lifesaver: `${CIRCLE}M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM5.7 5.7l3.8 3.8M14.5 14.5l3.8 3.8M18.3 5.7l-3.8 3.8M9.5 14.5l-3.8 3.8`,
  lightbulb: 'M12 3a6 6 0 0 0-3.5 10.9c.7.6 1 1.3 1 2.1h5c0-.8.3-1.5 1-2.1A6 6 0 0 0 12 3ZM10 19h4M11 21.5h2',
  mail: 'M3 6h18v12H3ZM3.5 6.5 12 13l8.5-6.5',
  'map-pin': 'M12 21c4.5-5 7-8.3 7-11.5a7 7 0 0 0-14 0C5 12.7 7.5 16 12 21ZM12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z',
  maps: 'M3 6l6-2.5 6 2.5 6-2.5v14.5L15 20.5 9 18l-6 2.5ZM9 3.5V18M15 6v14.5',
  mobile: 'M7 3h10v18H7ZM11 18h2',
  name: 'M3 5h18v14H3ZM8.5 8.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM5.5 16c.5-1.6 1.6-2.3 3-2.3s2.5.7 3 2.3M14.5 10H18M14.5 14H18',
  notebook: 'M6 3h13v18H6ZM9.5 3v18M4 7.5h3.5M4 12h3.5M4 16.5h3.5',
  'notebook-pencil': 'M18 8V3H6v18h5M9.5 3v18M4 7.5h3.5M4 12h3.5M4 16.5h3.5M13.5 20.5V18l6-6 2.5 2.5-6 6Z',
  'page-blank': PAGE,
  phone: 'M6 3.5h3l1.5 5L8 10.5c1 2.5 3 4.5 5.5 5.5l2-2.5 5 1.5v3c0 1.5-1 2.5-2.5 2.5C10 20 4 14 3.5 6 3.5 4.5 4.5 3.5 6 3.5Z',
  play: 'M7 4.5v15l12-7.5Z',
  plus: 'M12 5v14M5 12h14',
  profile: `${CIRCLE}M12 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM6 18.5c1-2.5 3.2-3.5 6-3.5s5 1 6 3.5`,
  'profile-card': 'M3 5h18v14H3ZM8.5 8.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM5.5 16c.5-1.6 1.6-2.3 3-2.3s2.5.7 3 2.3M14.5 9.5H18M14.5 13H18',
  reload: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20',
  'settings-slider': 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4',
  sparkle: 'M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8Z',
  'sparkle-double': 'M10 5l1.6 4.4L16 11l-4.4 1.6L10 17l-1.6-4.4L4 11l4.4-1.6ZM18 14l.9 2.6 2.6.9-2.6.9L18 21l-.9-2.6-2.6-.9 2.6-.9Z',
  'square-code': `${SQUARE}M10 9l-3 3 3 3M14 9l3 3-3 3`,
  'square-image': `${SQUARE}M4 16l4.5-4.5L12 15l3-3 5 5M15.5 8.5h.01`,
  'square-text': `${SQUARE}M8 9h8M8 12.5h8M8 16h5`,
  star: STAR,
  'star-filled': STAR,
  suitcase: 'M3 8h18v11H3ZM9 8V4.5h6V8M3 13h18',
  user: PERSON,
  wreath: 'M12 20C7 20 4 16.5 4 12c0-3 1-5.5 3-7.5M12 20c5 0 8-3.5 8-8 0-3-1-5.5-3-7.5M4 12l3 1M5 8l3 1.5M6 16l2.5-1.5M20 12l-3 1M19 8l-3 1.5M18 16l-2.5-1.5',
  write: PEN,
  'write-alt': 'M12 5H5v14h14v-7M9 15v-3l8.5-8.5 3 3L12 15Z',
  'write-alt2': `${PEN}M13 20h7`
};
const FILLED: readonly string[] = ['star-filled', 'play', 'dot', 'bolt'];
const NEUTRAL = 'M12 6.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z';

/** Names that draw something of their own. */
export const ICON_NAMES: readonly string[] = Object.keys(PATHS);

/** One icon; without a label it stands beside words. Names of other sets (`lucide:globe`) are tried as ours. */
export function Glyph({ name, size, label = '', colour }: { name: string; size?: string | undefined; label?: string; colour?: string | undefined }) {
  const bare = name.replace(/^(lucide|vendor):/, '');
  const path = Object.hasOwn(PATHS, bare) ? PATHS[bare] : NEUTRAL;
  const described = label ? ({ role: 'img', 'aria-label': label } as const) : ({ 'aria-hidden': 'true' } as const);
  return (
    <svg
      class="vk-w-icon"
      viewBox="0 0 24 24"
      fill={FILLED.includes(bare) ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      focusable="false"
      data-size={size}
      style={colour ? { color: colour } : {}}
      {...described}
    >
      {bare === 'check-circle-filled' ? (
        <>
          <path d={CIRCLE} fill="currentColor" />
          <path d="M8 12.2l3 2.8 5-5.5" stroke="var(--vk-w-bg)" />
        </>
      ) : (
        <path d={path} />
      )}
    </svg>
  );
}

export function Icon({ node }: ViewProps) {
  return (
    <Glyph
      name={text(node, 'name')}
      size={pick(node, 'size', ['xs', 'sm', 'md', 'lg', 'xl', '2xl', '3xl'])}
      colour={colourOf(node['color'], TEXT_COLOURS)}
    />
  );
}
