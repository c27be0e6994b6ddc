/** The parts of the panel as chunks of the extension. */
import type { LoadPart, Parts } from './panel/parts';

const CHUNKS: { [N in keyof Parts]: () => Promise<Parts[N]> } = {
  markup: () => import('./panel/markup'),
  servers: () => import('./panel/servers'),
  diff: () => import('./panel/diff'),
  german: () => import('./panel/german'),
  widgets: () => import('./panel/widgets'),
  charts: () => import('./panel/widgets/charts')
};

export const loadChunk: LoadPart = name => CHUNKS[name]();
