/** The three places of the panel, one in sight: the conversation, the tasks, the history. */
import { type ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Place, Snapshot } from '../store';
import { hasEnded } from '../store';
import { Feed } from './Feed';
import { History } from './History';
import { Icon } from './Icon';
import { Tasks } from './Tasks';
import { usePanel } from './context';
import { useFrozen } from './hooks';

const PLACES: readonly Place[] = ['conversation', 'tasks', 'history'];

/** What is not being kept, and what to do about it. */
function Unkept({ snapshot }: { snapshot: Snapshot }) {
  const { trans } = usePanel();
  const { state, message, hint } = snapshot.session.keeping;
  // Without a reason the kernel is still opening its store.
  if (state === 'kept' || !message) {
    return null;
  }
  return (
    <p class="vk-unkept">
      <Icon name="memory" />
      <span>
        <b>{trans.__('Not being kept.')}</b> {message} {hint}
      </span>
    </p>
  );
}

function PlaceBox({ place, shown, children }: { place: Place; shown: boolean; children: () => ComponentChildren }) {
  const { store } = usePanel();
  const covered = store.snapshot.ui.sheets.length > 0;
  // Out of sight nothing is drawn, so that a flood of output costs nothing there.
  const drawn = useFrozen(shown, children);
  return (
    <div
      id={`vk-place-${store.id}-${place}`}
      class="vk-place"
      data-place={place}
      role="tabpanel"
      aria-labelledby={`vk-tab-${store.id}-${place}`}
      inert={!shown || covered}
      data-shown={shown}
    >
      {drawn}
    </div>
  );
}

export function Places({ snapshot }: { snapshot: Snapshot }) {
  const { store, trans } = usePanel();
  const { ui, session } = snapshot;
  const tabs = useRef<HTMLDivElement>(null);
  let open = 0;
  session.tasks.forEach(task => (open += hasEnded(task) ? 0 : 1));
  const names: Record<Place, string> = {
    conversation: trans.__('Conversation'),
    tasks: trans.__('Tasks'),
    history: trans.__('History')
  };
  const go = (place: Place): void => store.update({ place, sheets: [] });
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -PLACES.indexOf(ui.place), End: 2 - PLACES.indexOf(ui.place) }[event.key];
    if (step === undefined) {
      return;
    }
    event.preventDefault();
    const place = PLACES[(PLACES.indexOf(ui.place) + step + PLACES.length) % PLACES.length]!;
    go(place);
    tabs.current?.querySelector<HTMLElement>(`[data-tab="${place}"]`)?.focus();
  };
  return (
    <>
      <div class="vk-tabs" role="tablist" aria-label={trans.__('Places')} ref={tabs} onKeyDown={onKeyDown}>
        {PLACES.map(place => (
          <button
            key={place}
            id={`vk-tab-${store.id}-${place}`}
            type="button"
            role="tab"
            class="vk-tab"
            data-tab={place}
            aria-selected={ui.place === place}
            aria-controls={`vk-place-${store.id}-${place}`}
            tabIndex={ui.place === place ? 0 : -1}
            onClick={() => go(place)}
          >
            {names[place]}
            {place === 'tasks' && open > 0 && (
              <span class="vk-badge">
                {open}
                <span class="vk-hidden"> {trans.__('not done yet')}</span>
              </span>
            )}
          </button>
        ))}
      </div>
      <Unkept snapshot={snapshot} />
      <div class="vk-places">
        <PlaceBox place="conversation" shown={ui.place === 'conversation'}>
          {() => <Feed snapshot={snapshot} />}
        </PlaceBox>
        <PlaceBox place="tasks" shown={ui.place === 'tasks'}>
          {() => <Tasks snapshot={snapshot} />}
        </PlaceBox>
        <PlaceBox place="history" shown={ui.place === 'history'}>
          {() => <History snapshot={snapshot} />}
        </PlaceBox>
      </div>
    </>
  );
}
