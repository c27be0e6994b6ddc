/**
 * Draws a component by its type, and only when it is another object than before.
 *
 * Responsible for the register of components, for keys, and for components that are not known. It does not
 * know any component: they are entered by `views.ts`.
 */
import { Component, type ComponentChild, type FunctionComponent, h } from 'preact';
import { type WidgetNode, childrenOf, keysOf, text } from './node';
import { type ViewProps, useHost } from './scope';

interface Entry {
  readonly view: FunctionComponent<ViewProps>;
  /** Whether it has no state: then it is called, without a component of its own between. */
  readonly plain: boolean;
}

const VIEWS = new Map<string, Entry>();

export function enter(views: Readonly<Record<string, FunctionComponent<ViewProps>>>, plain: boolean): void {
  Object.entries(views).forEach(([type, view]) => VIEWS.set(type, { view, plain }));
}

/** Names of the components that can be drawn. */
export function known(): readonly string[] {
  return [...VIEWS.keys()];
}

export class View extends Component<ViewProps> {
  override shouldComponentUpdate(next: ViewProps): boolean {
    return next.node !== this.props.node;
  }

  override render({ node }: ViewProps): ComponentChild {
    const entry = VIEWS.get(node.type);
    return entry?.plain ? (entry.view({ node }, {}) as ComponentChild) : h(entry?.view ?? Unknown, { node });
  }
}

/** The children of a component, kept apart by key, id or place. */
export function drawn(children: readonly WidgetNode[]): ComponentChild[] {
  const keys = keysOf(children);
  return children.map((child, at) => <View key={`${child.type} ${keys[at]}`} node={child} />);
}

export function drawnIn(node: WidgetNode): ComponentChild[] {
  return drawn(childrenOf(node));
}

/**
 * The children of what has very many of its kind, such as a cell: a single one without state is part of what
 * is drawn around it, and not a component of its own.
 */
export function drawnFlat(node: WidgetNode): ComponentChild {
  const children = childrenOf(node);
  const [only] = children;
  const entry = only && VIEWS.get(only.type);
  return only && entry?.plain && children.length === 1 ? (entry.view({ node: only }, {}) as ComponentChild) : drawn(children);
}

/** A component of another time or another maker: its words and its children. */
function Unknown({ node }: ViewProps) {
  const { trans } = useHost();
  const words = ['title', 'label', 'value', 'text', 'alt'].map(field => text(node, field)).filter(Boolean);
  return (
    <div class="vk-w-unknown">
      <p class="vk-w-caption">{trans.__('This version cannot draw “%1”.', node.type.slice(0, 80))}</p>
      {words.map((word, at) => (
        <p key={at}>{word}</p>
      ))}
      {drawnIn(node)}
    </div>
  );
}
