/** The conversations that are kept: find one and go on with it, begin another, rename, delete. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Thread } from '../../messages.gen';
import type { Snapshot } from '../store';
import { moment } from '../wording';
import { Icon, Spinner } from './Icon';
import { Note } from './Note';
import { SearchBox } from './SearchBox';
import { SheetFrame } from './Sheets';
import { Sure } from './Sure';
import { usePanel } from './context';
import { usePages, useSettled } from './hooks';

const TYPING_MS = 250;

function Rename({ thread, onDone }: { thread: Thread; onDone: (title: string | null) => void }) {
  const { trans } = usePanel();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    ref.current?.focus();
    ref.current?.select();
  }, []);
  return (
    <form
      class="vk-thread-rename"
      onSubmit={event => {
        event.preventDefault();
        onDone(ref.current?.value.trim() || null);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.preventDefault();
          event.stopPropagation();
          onDone(null);
        }
      }}
    >
      <input
        ref={ref}
        type="text"
        aria-label={trans.__('New name of “%1”', thread.title)}
        maxLength={200}
        defaultValue={thread.title}
        autocomplete="off"
      />
      <button type="submit" class="vk-button vk-small vk-primary">
        {trans.__('Rename')}
      </button>
    </form>
  );
}

function Delete({ thread, title, onDone }: { thread: Thread; title: string; onDone: (sure: boolean) => void }) {
  const { trans } = usePanel();
  return (
    <Sure verb={trans.__('Delete')} onDone={onDone}>
      <b>{trans.__('Delete “%1”?', title)}</b>{' '}
      {trans._n(
        'Its command goes for good, with its tasks and their logs.',
        'Its %1 commands go for good, with their tasks and logs.',
        thread.turns
      )}{' '}
      {trans.__('Your notebook and files stay as they are.')}
    </Sure>
  );
}

interface ThreadRowProps {
  readonly thread: Thread;
  readonly current: boolean;
  readonly everywhere: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => void;
  readonly onDelete: () => void;
}

function ThreadRow({ thread, current, everywhere, onOpen, onRename, onDelete }: ThreadRowProps) {
  const { trans } = usePanel();
  const [mode, setMode] = useState<'row' | 'rename' | 'delete'>('row');
  const item = useRef<HTMLLIElement>(null);
  const title = thread.title || trans.__('Untitled');
  const workspace = thread.workspace.split('/').pop() ?? '';
  const facts = [
    moment(thread.updated_at, trans),
    trans._n('%1 command', '%1 commands', thread.turns),
    everywhere ? workspace : ''
  ];
  const back = (): void => {
    setMode('row');
    // What was edited is gone: the row's own button is nearest.
    requestAnimationFrame(() => item.current?.querySelector<HTMLElement>('.vk-thread-open')?.focus());
  };
  return (
    <li class="vk-thread" ref={item} data-current={current} data-thread={thread.id}>
      {mode === 'rename' && (
        <Rename
          thread={thread}
          onDone={name => {
            if (name && name !== thread.title) {
              onRename(name);
            }
            back();
          }}
        />
      )}
      {mode === 'delete' && (
        <Delete thread={thread} title={title} onDone={sure => (sure ? onDelete() : back())} />
      )}
      {mode === 'row' && (
        <>
          <button type="button" class="vk-thread-open" aria-current={current} onClick={onOpen}>
            <span class="vk-thread-title">{title}</span>
            <span class="vk-hint" title={everywhere ? thread.workspace : ''}>
              {current && <b>{trans.__('Open now')} · </b>}
              {facts.filter(Boolean).join(' · ')}
            </span>
          </button>
          <button
            type="button"
            class="vk-icon-button"
            aria-label={trans.__('Rename “%1”', title)}
            title={trans.__('Rename')}
            onClick={() => setMode('rename')}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            class="vk-icon-button"
            aria-label={trans.__('Delete “%1”', title)}
            title={trans.__('Delete…')}
            onClick={() => setMode('delete')}
          >
            <Icon name="bin" />
          </button>
        </>
      )}
    </li>
  );
}

export function Conversations({ snapshot }: { snapshot: Snapshot }) {
  const { send, store, requests, say, trans } = usePanel();
  const { keeping, turns } = snapshot.session;
  const [query, setQuery] = useState('');
  const [everywhere, setEverywhere] = useState(false);
  const wanted = useSettled(query.trim(), TYPING_MS);
  const { items: threads, more, problem, loading, load, change } = usePages<Thread>(async last => {
    const before = last?.updated_at ?? null;
    const found = await requests.ask('list_threads', { query: wanted, everywhere, before, limit: 50 });
    return { items: found.threads, more: found.more };
  });
  useEffect(() => load(null), [wanted, everywhere]);

  const rename = (thread: Thread, title: string): void => {
    send({ type: 'rename_thread', thread_id: thread.id, title });
    change(now => now.map(each => (each.id === thread.id ? { ...each, title } : each)));
  };
  const remove = (thread: Thread): void => {
    send({ type: 'delete_thread', thread_id: thread.id });
    change(now => now.filter(each => each.id !== thread.id));
    say(trans.__('Deleted.'));
  };
  const open = (thread: Thread): void => {
    if (thread.id !== keeping.thread?.id) {
      send({ type: 'open_thread', thread_id: thread.id });
    }
    store.update({ sheets: [], place: 'conversation' });
  };
  const begin = (): void => {
    send({ type: 'new_thread' });
    store.update({ sheets: [], place: 'conversation', focusDraft: store.snapshot.ui.focusDraft + 1 });
  };
  return (
    <SheetFrame title={trans.__('Conversations')} shape="menu" tools={loading && <Spinner />}>
      <div class="vk-list-tools">
        <button type="button" class="vk-button vk-new" aria-disabled={turns.size === 0} onClick={() => turns.size > 0 && begin()}>
          <Icon name="plus" /> {trans.__('New conversation')}
        </button>
        <SearchBox value={query} label={trans.__('Search the conversations')} onChange={setQuery} first />
        <label class="vk-check">
          <input type="checkbox" checked={everywhere} onChange={event => setEverywhere(event.currentTarget.checked)} />
          <span>{trans.__('Of all notebooks and folders')}</span>
        </label>
      </div>
      <div class="vk-scroll" role="group" aria-label={trans.__('Conversations')} aria-busy={loading}>
        {problem && <Note tone="warning" message={problem.message} hint={problem.hint} />}
        {!loading && !problem && threads.length === 0 && (
          <p class="vk-empty">{wanted ? trans.__('No conversation fits.') : trans.__('No conversation is kept yet.')}</p>
        )}
        <ul>
          {threads.map(thread => (
            <ThreadRow
              key={thread.id}
              // A title given in another panel reaches this list with the conversation that is open.
              thread={thread.id === keeping.thread?.id ? { ...thread, title: keeping.thread.title || thread.title } : thread}
              current={thread.id === keeping.thread?.id}
              everywhere={everywhere}
              onOpen={() => open(thread)}
              onRename={title => rename(thread, title)}
              onDelete={() => remove(thread)}
            />
          ))}
        </ul>
        {more && (
          <button
            type="button"
            class="vk-link vk-more"
            onClick={() => load(threads[threads.length - 1] ?? null)}
          >
            {trans.__('Show more')}
          </button>
        )}
      </div>
    </SheetFrame>
  );
}
