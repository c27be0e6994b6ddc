/**
 * Draws ChatKit widgets: a part of the panel, loaded when the first one is to be shown.
 *
 * `WidgetView` takes the JSON of a root and says what a person did with it; `applyUpdate` makes the JSON after
 * a streamed update. It knows no kernel: whoever shows it carries actions out.
 */
import { Component, type ComponentChild } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PartShelf } from '../parts';
import { followTheme } from '../theme';
import { ENGLISH, type Translator } from '../translation';
import { View } from './draw';
import { type WidgetNode, bounded, labelledIn } from './node';
import { HostContext, type OnAction, useContainer } from './scope';
import './views';
import sheet from './widgets.css?inline';

export { applyUpdate } from './update';
export type { WidgetNode } from './node';
export type { OnAction, WidgetAction } from './scope';
export type { Values } from './values';

export interface WidgetViewProps {
  /** The root's JSON; whatever stands in it is drawn or left out, never run. */
  readonly root: unknown;
  /** How the page is; without it, the view looks. */
  readonly theme?: 'light' | 'dark' | undefined;
  readonly onAction: OnAction;
  readonly trans?: Translator | undefined;
  /** Where Markdown and charts are loaded from; without it they are shown as text and as a table. */
  readonly parts?: PartShelf | undefined;
}

/** The style sheet, once in each document or shadow tree. */
function dress(element: HTMLElement): void {
  const tree = element.getRootNode();
  const home = tree instanceof Document ? tree.head : tree instanceof ShadowRoot ? tree : null;
  if (home && !home.querySelector('style[data-vk-widgets]')) {
    const style = element.ownerDocument.createElement('style');
    style.dataset['vkWidgets'] = '';
    style.textContent = sheet;
    home.append(style);
  }
}

/** Keeps the same set while the same names are in it, so that fields are not drawn anew. */
function useLabelled(root: WidgetNode): ReadonlySet<string> {
  const kept = useRef<ReadonlySet<string>>(new Set());
  return useMemo(() => {
    const names = new Set(labelledIn(root));
    const same = names.size === kept.current.size && [...names].every(name => kept.current.has(name));
    return same ? kept.current : (kept.current = names);
  }, [root]);
}

/** Moving an element takes the focus from it; this gives it back, with what was selected. */
class FocusKeeper extends Component<{ readonly root: WidgetNode; readonly children: ComponentChild }> {
  override getSnapshotBeforeUpdate(): HTMLElement | null {
    const active = document.activeElement;
    return active instanceof HTMLElement && active.closest('.vk-widget') ? active : null;
  }

  override componentDidUpdate(_: unknown, __: unknown, active: HTMLElement | null): void {
    if (active && active !== document.activeElement && active.isConnected) {
      active.focus({ preventScroll: true });
    }
  }

  override render(): ComponentChild {
    return this.props.children;
  }
}

/** What is not to happen while an action runs, wherever in the busy element it comes from. */
function holdBack(event: Event): void {
  const target = event.target instanceof Element ? event.target : null;
  const keyed = event instanceof KeyboardEvent && (event.key === 'Tab' || event.key === 'Escape');
  if (!keyed && target?.closest('[aria-busy="true"], [aria-disabled="true"]')) {
    event.preventDefault();
    event.stopPropagation();
  }
}

/** The panel and the outputs of cells may each have loaded this. */
const LOADED = Math.random().toString(36).slice(2, 8);
let views = 0;

export function WidgetView({ root, theme, onAction, trans = ENGLISH, parts }: WidgetViewProps) {
  const ref = useRef<HTMLDivElement>(null);
  const node = useMemo(() => bounded(root), [root]);
  const labelled = useLabelled(node);
  // Made anew with every drawing of the host, it would draw every field anew.
  const latest = useRef(onAction);
  latest.current = onAction;
  const [id] = useState(() => `vk-w-${LOADED}${++views}`);
  const host = useMemo(
    () => ({ id, trans, onAction: ((...clicked) => latest.current(...clicked)) satisfies OnAction, parts, labelled }),
    [trans, parts, labelled]
  );
  const container = useContainer();
  useLayoutEffect(() => {
    if (ref.current) {
      dress(ref.current);
    }
    return !theme && ref.current ? followTheme(ref.current) : undefined;
  }, [theme]);
  return (
    <div
      ref={ref}
      class="vk-widget"
      {...(theme ? { 'data-vk-theme': theme } : {})}
      aria-busy={container.busy}
      // Single letters are shortcuts of the notebook around.
      data-lm-suppress-shortcuts="true"
      onClickCapture={holdBack}
      onMouseDownCapture={holdBack}
      onKeyDownCapture={holdBack}
    >
      <HostContext.Provider value={host}>
        <FocusKeeper root={node}>{container.wrap(<View node={node} />)}</FocusKeeper>
      </HostContext.Provider>
    </div>
  );
}
