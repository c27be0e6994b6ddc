/**
 * What parts of the panel have in common with it: one Preact, one context, and the views they are made of.
 *
 * A part imports these from here and nowhere else, or it would carry copies with a state of their own.
 * Whatever else a part imports is built into it.
 */
export * as preact from 'preact';
export * as hooks from 'preact/hooks';
export * as jsx from 'preact/jsx-runtime';
export { problemOf } from './requests';
export { usePanel } from './views/context';
export { useNow } from './views/hooks';
export { Icon, Spinner } from './views/Icon';
export { Note } from './views/Note';
export { SearchBox } from './views/SearchBox';
export { SheetFrame } from './views/Sheets';
export { Sure } from './views/Sure';
