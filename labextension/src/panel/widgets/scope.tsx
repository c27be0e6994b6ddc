/**
 * What a component of a widget shares with those around it: the host, the container that waits, the form.
 *
 * Responsible for running actions: one at a time for each trigger, shown as running where its loading
 * behaviour says, and its failure told. It does not know where an action goes.
 */
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { PartName, PartShelf, Parts } from '../parts';
import type { Translator } from '../translation';
import { type WidgetNode, isRecord, text } from './node';
import { type Values, put } from './values';

/** What happens on a click, a choice or a submission: data, as the widget has it. */
export interface WidgetAction {
  readonly type: string;
  readonly payload?: unknown;
  /** Who acts: the kernel, or the page. */
  readonly handler: 'server' | 'client';
  readonly loadingBehavior: 'auto' | 'none' | 'self' | 'container';
}

/**
 * Carries an action out. It is over when the promise is settled; a rejection is shown to the person.
 *
 * `itemId` is the `id` or `key` of the component that has the action; empty where it has none.
 */
export type OnAction = (action: WidgetAction, values: Values, itemId: string) => Promise<void> | void;

export interface Host {
  /** Begins every id in the widget: a page may have many widgets, and each begins to count anew. */
  readonly id: string;
  readonly trans: Translator;
  readonly onAction: OnAction;
  /** Where parts come from; without it, Markdown is shown as text and charts as tables. */
  readonly parts: PartShelf | undefined;
  /** Names of the fields that have a Label. */
  readonly labelled: ReadonlySet<string>;
}

export const HostContext = createContext<Host | null>(null);

export function useHost(): Host {
  const host = useContext(HostContext);
  if (!host) {
    throw new Error('a component was drawn outside of a widget');
  }
  return host;
}

/** What went wrong, and what to do next. */
interface Problem {
  readonly message: string;
  readonly hint: string;
}

function problemOf(error: unknown, trans: Translator): Problem {
  // What a question to the kernel is refused with has the whole problem in it.
  const problem = isRecord(error) && isRecord(error['problem']) ? error['problem'] : null;
  if (problem) {
    return { message: text(problem, 'message'), hint: text(problem, 'hint') };
  }
  const message = error instanceof Error ? error.message : '';
  return { message: message || trans.__('This did not work.'), hint: '' };
}

interface Container {
  readonly busy: boolean;
  readonly setBusy: (busy: boolean) => void;
  readonly setProblem: (problem: Problem | null) => void;
}

const ContainerContext = createContext<Container>({ busy: false, setBusy: () => {}, setProblem: () => {} });

/** Whether the container waits for an action: nothing in it can be used meanwhile. */
export function useBusy(): boolean {
  return useContext(ContainerContext).busy;
}

/** Holds what an action that concerns all of it needs: whether it waits, and what went wrong. */
export function useContainer(): { busy: boolean; wrap: (children: ComponentChildren) => ComponentChildren } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const container = useMemo(() => ({ busy, setBusy, setProblem }), [busy]);
  return {
    busy,
    wrap: children => (
      <ContainerContext.Provider value={container}>
        {children}
        {problem && <Trouble problem={problem} onDismiss={() => setProblem(null)} />}
      </ContainerContext.Provider>
    )
  };
}

function Trouble({ problem, onDismiss }: { problem: Problem; onDismiss: () => void }) {
  const { trans } = useHost();
  return (
    <div class="vk-w-problem" role="alert">
      <p>
        {problem.message}
        {problem.hint && <span> {problem.hint}</span>}
      </p>
      <button type="button" class="vk-w-plain" onClick={onDismiss}>
        {trans.__('Dismiss')}
      </button>
    </div>
  );
}

/** Takes what the fields of a form hold. */
export type Submit = (values: Values) => void;

export interface FormScope {
  /** Sets apart the ids of this form's fields. */
  readonly id: string;
  readonly values: () => Values;
  /** Checks the fields, shows what is wrong with them, and hands in what they hold: to `own`, if given. */
  readonly submit: (own?: Submit) => void;
}

export const FormContext = createContext<FormScope | null>(null);

/** An id for an element of a component, that no other in the page has. */
export function useElementId(): string {
  const own = useId();
  return `${useHost().id}-${own}`;
}

/** The id of a field's element and that of its label. */
export function useField(name: string): { id: string; labelId: string; labelled: boolean } {
  const host = useHost();
  const { labelled } = host;
  const form = useContext(FormContext);
  const id = `${form?.id ?? host.id}-${name.replace(/[^\w-]/g, '_')}`;
  return { id, labelId: `${id}-label`, labelled: labelled.has(name) };
}

const HANDLERS = ['server', 'client'] as const;
const BEHAVIOURS = ['auto', 'none', 'self', 'container'] as const;

/** The action of a field such as `onClickAction`, or null when there is none. */
export function actionOf(value: unknown): WidgetAction | null {
  if (!isRecord(value) || typeof value['type'] !== 'string' || value['type'] === '') {
    return null;
  }
  return {
    type: value['type'],
    ...(value['payload'] === undefined ? {} : { payload: value['payload'] }),
    handler: HANDLERS.find(handler => handler === value['handler']) ?? 'server',
    loadingBehavior: BEHAVIOURS.find(behaviour => behaviour === value['loadingBehavior']) ?? 'auto'
  };
}

export interface Run {
  /** Whether this very component waits for its action. */
  readonly running: boolean;
  /** Starts an action with what the form around holds (or `values`), and the values given. */
  readonly start: (
    action: WidgetAction,
    own?: readonly (readonly [name: string, value: unknown])[],
    values?: Values
  ) => void;
}

/** Longer ones are sent by nobody: the kernel would refuse them. */
const MAX_ITEM_ID_CHARS = 200;

/** What tells a component from another that has the same action. */
function itemIdOf(node: WidgetNode): string {
  const id = text(node, 'id') || text(node, 'key');
  return id.length > MAX_ITEM_ID_CHARS ? '' : id;
}

/**
 * @param node the component that has the action.
 * @param auto what the loading behaviour `auto` means for this kind of component.
 */
export function useAction(node: WidgetNode, auto: 'none' | 'self' | 'container'): Run {
  const { onAction, trans } = useHost();
  const container = useContext(ContainerContext);
  const form = useContext(FormContext);
  const [running, setRunning] = useState(false);
  // The state is told with the next drawing; a second click may come before it.
  const held = useRef(false);
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);
  const start: Run['start'] = (action, own = [], values = form?.values() ?? {}) => {
    const behaviour = action.loadingBehavior === 'auto' ? auto : action.loadingBehavior;
    if (container.busy || (held.current && behaviour !== 'none')) {
      return;
    }
    own.forEach(([name, value]) => put(values, name, value));
    const wait = (waiting: boolean): void => {
      if (behaviour === 'none') {
        return;
      }
      held.current = waiting;
      if (behaviour === 'container') {
        container.setBusy(waiting);
      } else if (!gone.current) {
        setRunning(waiting);
      }
    };
    container.setProblem(null);
    wait(true);
    Promise.resolve()
      .then(() => onAction(action, values, itemIdOf(node)))
      .catch((error: unknown) => container.setProblem(problemOf(error, trans)))
      .finally(() => wait(false));
  };
  return { running, start };
}

/** A part of the panel, loaded when it is first wanted; null until it is there or when there is none. */
export function useLoaded<N extends PartName>(name: N): Parts[N] | null {
  const { parts } = useHost();
  const part = parts?.get(name) ?? null;
  const [, redraw] = useState(0);
  useEffect(() => {
    let gone = false;
    if (parts && !part) {
      parts.fetch(name).then(
        () => gone || redraw(count => count + 1),
        // Without the part its plain form stays.
        () => undefined
      );
    }
    return () => void (gone = true);
  }, [parts, part]);
  return part;
}

export interface ViewProps {
  readonly node: WidgetNode;
}
