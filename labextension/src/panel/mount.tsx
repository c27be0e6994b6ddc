/**
 * Puts a panel, or the card of one turn, into an element and returns how to take it out again.
 *
 * Responsible for building the parts and for their end. It does not know its host: whoever mounts it hands
 * over a Channel.
 */
import { render } from 'preact';
import type { Hello, Task, ToKernel, ToSurface } from '../messages.gen';
import { type Announcement, announcementOf } from './announce';
import type { Channel, OnMessage } from './channel';
import { ClientTools } from './clienttools';
import { Connection } from './connection';
import { Earcons, earconOf } from './earcons';
import { HOLD_KEY, guardShortcuts, listenForHoldKey } from './keys';
import { Microphone } from './microphone';
import { Notifier, endingsOf } from './notify';
import { type LoadPart, PartShelf, partOf } from './parts';
import { Requests } from './requests';
import * as shared from './shared';
import { Speaker } from './speaker';
import { type Snapshot, Store, turnHasEnded } from './store';
import { followTheme } from './theme';
import { CATALOGUES, Words } from './translation';
import { Card } from './views/Card';
import { Panel } from './views/Panel';
import { PanelContext } from './views/context';
import './panel.css';

export interface MountOptions {
  readonly channel: Channel;
  /** `card`: only the turn `turnId`, without microphone and text box. */
  readonly view: 'panel' | 'card';
  readonly turnId: number;
  readonly kind: Hello['kind'];
  /** Whether the host shows the notebook and answers cell requests, on the same channel. */
  readonly cells: boolean;
  /** Where the parts come from that are loaded when they are first needed; the kernel, if not given. */
  readonly loadPart?: LoadPart;
  /** Names the shortcut for talking where the host has one of its own; the panel then listens for none. */
  readonly holdKey?: () => string;
  /** The host's translations; they learn the language of the session. */
  readonly trans?: Words;
  /** Brings the panel in front, where the host may have hidden it. */
  readonly onReveal?: () => void;
  /** Told of the state whenever it is drawn, for a host that shows it in other places too. */
  readonly onChange?: (snapshot: Snapshot) => void;
  /** Given, once, what a host's own commands and shortcuts use. */
  readonly onReady?: (controls: Controls) => void;
}

export interface Controls {
  readonly microphone: Microphone;
  /** Puts the focus into the text box. */
  focus(): void;
}

export function mount(host: HTMLElement, options: MountOptions): () => void {
  const { channel, view, turnId, kind, cells, loadPart, holdKey, trans = new Words(), onReveal, onChange, onReady } = options;
  const root = document.createElement('div');
  root.className = 'vk-root';
  root.dataset['vkView'] = view;
  root.dataset['vkKind'] = kind;
  host.append(root);

  const store = new Store();
  let announcement: Announcement | null = null;
  let announced = 0;
  const draw = (): void => {
    const snapshot = store.snapshot;
    onChange?.(snapshot);
    const hadFocus = root.contains(document.activeElement);
    render(
      <PanelContext.Provider value={context}>
        {view === 'card' ? (
          <Card snapshot={snapshot} turnId={turnId} announcement={announcement} announced={announced} />
        ) : (
          <Panel snapshot={snapshot} announcement={announcement} announced={announced} />
        )}
      </PanelContext.Provider>,
      root
    );
    if (hadFocus && !root.contains(document.activeElement)) {
      // The button that was pressed is gone with its card: stay near, instead of at the top of the page.
      const near = '.vk-sheet, .vk-place:not([inert]) .vk-scroll, .vk-place:not([inert]) .vk-feed, .vk-card';
      root.querySelector<HTMLElement>(near)?.focus({ preventScroll: true });
    }
  };

  /** Whether a message's news is heard anyway: then a screen reader need not say it at the same time. */
  const isSpoken = (message: ToSurface, urgent: boolean): boolean => {
    const id = message.type === 'task' ? message.task.turn_id : message.type === 'turn' ? message.turn.id : null;
    const turn = message.type === 'turn' ? message.turn : id === null ? undefined : store.snapshot.session.turns.get(id);
    const over = message.type === 'task' || (turn !== undefined && turnHasEnded(turn));
    return view === 'panel' && over && turn?.surface_id === connection.surfaceId && speaker.choices.says(urgent);
  };

  const carryOut = (task: Task): void => {
    if (view === 'panel' && store.snapshot.session.turns.get(task.turn_id)?.surface_id === connection.surfaceId) {
      clientTools.see(task);
    }
  };

  const receive: OnMessage = (message, buffers) => {
    if (requests.receive(message)) {
      return;
    }
    switch (message.type) {
      case 'speak_answer':
        speaker.receive(message, buffers);
        return;
      case 'stop_speaking':
        speaker.hush(message.id);
        return;
      case 'hold_speaking':
        speaker.held(message);
        return;
      case 'speak_changed':
        speaker.changed(message);
        return;
    }
    const earcon = view === 'panel' && store.snapshot.ui.handsFree
      ? earconOf(store.snapshot.session, message, connection.surfaceId)
      : null;
    if (earcon) {
      earcons.play(earcon);
    }
    const said = announcementOf(store.snapshot.session, message, trans);
    if (view === 'panel') {
      endingsOf(store.snapshot.session, message, trans).forEach(ending => notifier.tell(ending));
    }
    // A panel on the same page says it already.
    if (said && !isSpoken(message, said.urgent) && (view === 'panel' || !document.querySelector('[data-vk-view="panel"]'))) {
      announcement = said;
      announced++;
    }
    store.receive(message);
    if (message.type === 'state') {
      message.tasks.forEach(carryOut);
    } else if (message.type === 'task') {
      carryOut(message.task);
    }
    if (message.type === 'state' || message.type === 'about') {
      void speak(message.about.language);
    }
    if (view === 'panel' && message.type === 'state') {
      speaker.introduce(message.about);
      microphone.introduce(message.about);
      void microphone.ear.look(message.speech.language);
    } else if (message.type === 'turn' && message.turn.surface_id === connection.surfaceId) {
      speaker.wake(); // its answer comes soon
    }
    if (message.type === 'control' && message.control === 'stop_listening') {
      microphone.stop();
    } else if (message.type === 'control' && message.control === 'stop_speaking') {
      notifier.hush();
      speaker.hush();
    }
  };

  const connection = new Connection(channel, { kind, cells, client_tools: view === 'panel' }, {
    onMessage: receive,
    onPhase: phase => {
      store.update({ connection: phase });
      if (phase === 'closed' && store.snapshot.ui.microphone !== 'idle') {
        microphone.discard();
      }
    }
  });
  const send = (message: ToKernel, buffers?: ArrayBuffer[]): void => void connection.send(message, buffers);
  const clientTools = new ClientTools(window, trans, send);
  const requests = new Requests(message => connection.send(message), trans);
  const earcons = new Earcons(() => microphone.earcons);
  const microphone = new Microphone(store, send, trans, earcon => earcons.play(earcon), sound => speaker.hear(sound));
  const reveal = (taskId: number): void => {
    onReveal?.();
    store.update({ place: 'tasks', filter: 'all', search: '', sheets: [{ name: 'task', taskId }] });
  };
  const notifier = new Notifier(reveal, () => store.snapshot.ui.microphone !== 'idle', () => speaker.choices.says(false));
  const speaker = new Speaker(store, {
    send,
    isBusy: () => store.snapshot.ui.microphone !== 'idle' && !store.snapshot.ui.handsFree,
    tell: text => actions.say(text)
  });
  const fromKernel: LoadPart = async name => partOf((await requests.ask('read_part', { name })).source, shared);
  const actions = {
    parts: new PartShelf(loadPart ?? fromKernel),
    store,
    send,
    requests,
    microphone,
    notifier,
    speaker,
    trans,
    say: (text: string) => {
      announcement = { text, urgent: false };
      announced++;
      store.update({});
    },
    hasComposer: view === 'panel',
    showsCells: cells,
    holdKey: holdKey ?? (() => HOLD_KEY)
  };
  /** Made anew when the words have changed: then every view is drawn again, those too that remember. */
  let context = actions;
  let language = '';
  const speak = async (wanted: string): Promise<void> => {
    if (wanted === language) {
      return;
    }
    language = root.lang = wanted;
    const part = CATALOGUES[wanted];
    try {
      await (part && actions.parts.fetch(part));
    } catch (error) {
      console.warn('Voice: the words of the language could not be loaded.', error);
      language = ''; // the next state tries again
      return;
    }
    if (wanted === language) {
      trans.speak(wanted, (part && actions.parts.get(part)?.catalogue) ?? {});
      context = { ...actions };
      store.update({});
    }
  };

  if (view === 'panel') {
    microphone.watch();
  }
  store.listen(draw);
  const stopTheme = followTheme(root);
  const stopGuard = guardShortcuts(root);
  const stopSpeaker = view === 'panel' ? speaker.watch(root) : () => speaker.dispose();
  const stopKey =
    view === 'panel' && !holdKey
      ? listenForHoldKey({
          press: () => {
            const { session, ui } = store.snapshot;
            const usable = ui.connection === 'open' && session.speech.state !== 'unavailable';
            if (!usable || root.getClientRects().length === 0) {
              return false;
            }
            microphone.press();
            return true;
          },
          release: microphone.release,
          discard: microphone.discard
        })
      : () => undefined;
  // Messages may have been lost while the network was away: ask for everything again.
  const again = (): void => {
    if (connection.phase === 'open') {
      connection.hello();
    }
  };
  window.addEventListener('online', again);
  draw();
  connection.hello();
  onReady?.({
    microphone,
    focus: () => store.update({ focusDraft: store.snapshot.ui.focusDraft + 1 })
  });

  return () => {
    window.removeEventListener('online', again);
    stopKey();
    stopGuard();
    stopSpeaker();
    stopTheme();
    microphone.dispose();
    earcons.dispose();
    notifier.dispose();
    requests.dispose();
    connection.dispose();
    store.dispose();
    render(null, root);
    root.remove();
  };
}
