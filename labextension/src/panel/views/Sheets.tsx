/** What lies over a place until it is closed: conversations, a task, a log. Escape takes the uppermost away. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Sheet, Snapshot } from '../store';
import { Again } from './Again';
import { Conversations } from './Conversations';
import { Icon, Spinner } from './Icon';
import { Log, LogView } from './LogView';
import { Notifications } from './Notifications';
import { TaskSheet } from './TaskSheet';
import { usePanel } from './context';
import { usePart } from './hooks';

export interface SheetFrameProps {
  readonly title: ComponentChildren;
  /** `menu`: no larger than it needs to be, where there is room. */
  readonly shape?: 'full' | 'menu';
  readonly side?: 'start' | 'end';
  /** Fills the window, above everything in it. */
  readonly enlarged?: boolean;
  /** Stands at the end of the head. */
  readonly tools?: ComponentChildren;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly children: ComponentChildren;
}

export function SheetFrame({ title, shape = 'full', side = 'start', enlarged = false, tools, onKeyDown, children }: SheetFrameProps) {
  const { store, trans } = usePanel();
  const ref = useRef<HTMLDivElement>(null);
  const titleId = `vk-sheet-${store.id}`;
  const close = store.snapshot.ui.sheets.length > 1 ? trans.__('Back') : trans.__('Close');
  useEffect(() => {
    const sheet = ref.current;
    const focused = document.activeElement;
    if (sheet && (focused === sheet || !sheet.contains(focused))) {
      (sheet.querySelector<HTMLElement>('[data-vk-first=true]') ?? sheet).focus({ preventScroll: true });
    }
  }, []);
  useLayoutEffect(() => {
    const sheet = ref.current;
    if (!sheet || !enlarged || typeof sheet.showPopover !== 'function') {
      return undefined;
    }
    // Side bars cut off what reaches out of them; the browser's top layer does not.
    sheet.setAttribute('popover', 'manual');
    sheet.showPopover();
    return () => {
      const focused = document.activeElement;
      if (sheet.isConnected) {
        sheet.hidePopover();
      }
      sheet.removeAttribute('popover');
      if (focused instanceof HTMLElement && sheet.contains(focused)) {
        focused.focus({ preventScroll: true });
      }
    };
  }, [enlarged]);
  return (
    <div
      ref={ref}
      class={`vk-sheet vk-sheet-${shape} vk-side-${side}`}
      role="dialog"
      aria-labelledby={titleId}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div class="vk-sheet-head">
        <button type="button" class="vk-icon-button" aria-label={close} title={`${close} (Esc)`} onClick={() => store.close()}>
          <Icon name={shape === 'menu' ? 'cross' : 'back'} />
        </button>
        <h3 class="vk-sheet-title" id={titleId}>
          {title}
        </h3>
        {tools}
      </div>
      {children}
    </div>
  );
}

/** What belongs to MCP servers comes with the first look at them. */
function OfServers({ sheet, snapshot }: { sheet: Extract<Sheet, { name: 'servers' | 'registry' | 'server' }>; snapshot: Snapshot }) {
  const { trans } = usePanel();
  const part = usePart('servers');
  if (!part) {
    return <SheetFrame title={trans.__('MCP servers')} tools={<Spinner />} children={null} />;
  }
  switch (sheet.name) {
    case 'servers':
      return <part.Servers snapshot={snapshot} />;
    case 'registry':
      return <part.Registry snapshot={snapshot} />;
    case 'server':
      return <part.ServerPage snapshot={snapshot} name={sheet.server} />;
  }
}

/** The log of an MCP server. */
function ServerLog({ name, snapshot }: { name: string; snapshot: Snapshot }) {
  const { send, trans } = usePanel();
  const { about, servers } = snapshot.session;
  const server = servers?.servers.find(each => each.name === name);
  useEffect(() => {
    send({ type: 'watch_servers', on: true });
    return () => send({ type: 'watch_servers', on: false });
  }, [about]);
  return (
    <Log
      snapshot={snapshot}
      source={{ task_id: null, past_id: null, server: name }}
      title={trans.__('Log of the server')}
      of={name}
      grown={server?.log_lines ?? 0}
      ended={server === undefined || server.state === 'stopped' || server.state === 'failed'}
      cutBytes={0}
    />
  );
}

function content(sheet: Sheet, snapshot: Snapshot) {
  switch (sheet.name) {
    case 'conversations':
      return <Conversations snapshot={snapshot} />;
    case 'notifications':
      return <Notifications snapshot={snapshot} />;
    case 'task':
      return <TaskSheet snapshot={snapshot} taskId={sheet.taskId} past={null} />;
    case 'past':
      return <TaskSheet snapshot={snapshot} taskId={sheet.past.task.id} past={sheet.past} />;
    case 'log':
      return <LogView snapshot={snapshot} task={sheet.task} past={sheet.past} />;
    case 'servers':
    case 'registry':
    case 'server':
      return <OfServers sheet={sheet} snapshot={snapshot} />;
    case 'server_log':
      return <ServerLog name={sheet.server} snapshot={snapshot} />;
    case 'again':
      return <Again task={sheet.task} />;
  }
}

export function Sheets({ snapshot }: { snapshot: Snapshot }) {
  const { sheets } = snapshot.ui;
  const openers = useRef<Element[]>([]);
  const box = useRef<HTMLDivElement>(null);
  const depth = sheets.length;
  // What had the focus when a sheet was opened gets it back when it is closed.
  while (openers.current.length < depth) {
    openers.current.push(document.activeElement ?? document.body);
  }
  useLayoutEffect(() => {
    const opener = openers.current[depth];
    openers.current.length = depth;
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || box.current?.contains(focused);
    if (opener instanceof HTMLElement && opener.isConnected && free) {
      opener.focus({ preventScroll: true });
    }
  }, [depth]);
  const top = sheets[depth - 1];
  return (
    <div class="vk-sheets" ref={box} hidden={!top}>
      {top && (
        <div class="vk-sheet-box" key={`${depth}-${top.name}`}>
          {content(top, snapshot)}
        </div>
      )}
    </div>
  );
}
