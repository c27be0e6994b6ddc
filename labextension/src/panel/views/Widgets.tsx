/**
 * ChatKit widgets where tasks and outputs are shown: drawn by a part, their clicks carried to the kernel.
 *
 * Responsible for which widgets a task shows, in their newest state. It does not know how one is drawn.
 */
import type { PastTask, Task, Widget } from '../../messages.gen';
import { CLICK_PATIENCE_MS } from '../requests';
import { type Clicked, actInPage } from '../widgetactions';
import { usePanel } from './context';
import { usePart } from './hooks';

/** What a cell's output holds beside its HTML; see `voice_kernel.widgets.widget`. */
export const WIDGET_MIME = 'application/vnd.voice-kernel.widget+json';

export type Shown = Pick<Widget, 'id' | 'root' | 'copy_text'>;

export function WidgetBox({ widget }: { widget: Shown }) {
  const { parts, requests, trans } = usePanel();
  const part = usePart('widgets');
  if (!part) {
    return <div class="vk-plain">{widget.copy_text}</div>;
  }
  const act = async (action: Clicked, values: Record<string, unknown>, item_id: string): Promise<void> => {
    if (action.handler === 'client') {
      await actInPage(action, trans);
      return;
    }
    const clicked = { ...action, payload: action.payload ?? null, streaming: true };
    await requests.ask(
      'widget_action',
      { widget_id: widget.id, item_id, action: clicked, values, surface_id: '' },
      CLICK_PATIENCE_MS
    );
  };
  return <part.WidgetView root={widget.root} onAction={act} trans={trans} parts={parts} />;
}

/** The widgets of a task, as they are now: while it runs those it has shown so far. */
export function TaskWidgets({ task, past }: { task: Task; past: PastTask | null }) {
  const { store } = usePanel();
  const live = store.snapshot.session.widgets;
  const kept = task.result?.widgets ?? [];
  const running = past || task.result ? [] : [...live.values()].filter(widget => widget.task_id === task.id);
  const shown = [...kept.map(widget => live.get(widget.id) ?? widget), ...running];
  return shown.length === 0 ? null : (
    <div class="vk-task-widgets">
      {shown.map(widget => (
        <WidgetBox key={widget.id} widget={widget} />
      ))}
    </div>
  );
}

/** Widgets in an output of code, as JSON; null where that is none. */
export function widgetsIn(source: unknown): readonly Shown[] | null {
  let found = source;
  if (typeof source === 'string') {
    try {
      found = JSON.parse(source);
    } catch {
      return null; // cut to size on its way
    }
  }
  const list: unknown = (found as { widgets?: unknown } | null)?.widgets;
  if (!Array.isArray(list) || list.length === 0) {
    return null;
  }
  return list
    .filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null)
    .map(one => ({
      id: String(one['id'] ?? ''),
      root: (typeof one['root'] === 'object' && one['root'] !== null ? one['root'] : {}) as Shown['root'],
      copy_text: String(one['copy_text'] ?? '')
    }));
}
