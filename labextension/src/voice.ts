/**
 * Voice in one notebook: its kernel link, its panel, and the hands that answer the kernel.
 *
 * Responsible for joining the three for one notebook, and for mounting a fresh panel whenever a new kernel
 * session is reached. It does not know where the panel's element is shown.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import { Badges } from './badges';
import { loadChunk } from './chunks';
import { KernelLink, type LinkState } from './link';
import type { ToSurface, WidgetAction } from './messages.gen';
import { NotebookHost, type Surroundings } from './notebook';
import type { Channel } from './panel/channel';
import type { ListenMode } from './panel/microphone';
import { type Controls, mount } from './panel/mount';
import { CLICK_PATIENCE_MS, Requests } from './panel/requests';
import type { Snapshot } from './panel/store';
import { Words } from './panel/translation';
import { within } from './subshell';

/** The panel counts its own questions from 1. */
const CLICK_NUMBERS = 1_000_000;
/** A kernel that is busy loads our side when its cell has ended. */
const CLICK_REACH_MS = 60_000;
const UNREACHABLE: ReadonlySet<LinkState['name']> = new Set(['no_kernel', 'dead', 'missing', 'foreign', 'failed']);

export interface PanelSurroundings extends Surroundings {
  /** Brings the notebook and its panel to the front. */
  reveal(panel: NotebookPanel): void;
  /** Of the translations: ISO 639-1. */
  readonly language: string;
}

export type BadgesWanted = 'listening' | 'always' | 'never';

/** What a person chose in the settings; read anew whenever it matters. */
export interface Preferences {
  readonly language: string;
  readonly badges: BadgesWanted;
  /** How to listen; empty where the choice is the panel's. */
  readonly listen: ListenMode | '';
}

export class NotebookVoice {
  readonly link: KernelLink;
  readonly host: NotebookHost;
  /** Where the panel is, whenever there is one. */
  readonly node = document.createElement('div');
  snapshot: Snapshot | null = null;
  controls: Controls | null = null;
  /** In the language of the session, once there is one. */
  readonly words: Words;
  private readonly badges: Badges;
  private readonly changedSignal = new Signal<this, void>(this);
  private unmount: (() => void) | null = null;
  private listenSet: ListenMode | '' = '';

  constructor(
    readonly panel: NotebookPanel,
    private readonly surroundings: PanelSurroundings,
    private readonly preferences: () => Preferences
  ) {
    this.node.className = 'vk-sidebar-panel';
    this.node.addEventListener('click', this.followLink);
    this.badges = new Badges(panel);
    this.words = new Words(surroundings.trans, surroundings.language);
    this.host = new NotebookHost(panel, { ...surroundings, trans: this.words });
    this.link = new KernelLink(panel.sessionContext, () => preferences().language);
    this.link.changed.connect(this.onLink);
    panel.disposed.connect(this.dispose);
  }

  /** Says that the link, or what the panel shows, has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  get listening(): boolean {
    const phase = this.snapshot?.ui.microphone;
    return phase === 'listening' || phase === 'starting';
  }

  /** Carries a click in a cell's output out; connects first, since a person wants something of the kernel. */
  async act(clicked: Omit<WidgetAction, 'id' | 'type'>): Promise<void> {
    const channel = await this.reached();
    const requests = new Requests(
      message => {
        try {
          channel.send(message);
          return true;
        } catch {
          return false; // closed in this very moment
        }
      },
      this.words,
      ++NotebookVoice.clicks * CLICK_NUMBERS
    );
    const leave = [
      channel.onMessage(message => void requests.receive(message)),
      channel.onClose(() => requests.dispose())
    ];
    try {
      await requests.ask('widget_action', clicked, CLICK_PATIENCE_MS);
    } finally {
      leave.forEach(stop => stop());
      requests.dispose();
    }
  }

  private static clicks = 0;

  /** The channel, once it is open; rejects where the kernel cannot be reached. */
  private async reached(): Promise<Channel> {
    this.link.wake();
    const open = new Promise<Channel>((resolve, reject) => {
      const look = (): void => {
        const { state } = this.link;
        if (state.name === 'open') {
          resolve(state.channel);
        } else if (UNREACHABLE.has(state.name)) {
          reject(new Error(this.words.__('There is no kernel that could answer. Start it, and run the cell again.')));
        } else {
          return;
        }
        this.link.changed.disconnect(look);
      };
      this.link.changed.connect(look);
      look();
    });
    if (!(await within(open, CLICK_REACH_MS))) {
      throw new Error(this.words.__('The kernel did not answer.'));
    }
    return open;
  }

  /** Applies the settings to what is there already. */
  applyPreferences(): void {
    const { badges, listen } = this.preferences();
    const open = this.link.state.name === 'open';
    this.badges.show(open && (badges === 'always' || (badges === 'listening' && this.listening)));
    // Only once for each change of the setting: the panel has the same choice.
    if (this.controls && listen !== this.listenSet) {
      this.listenSet = listen;
      if (listen && this.controls.microphone.mode !== listen) {
        this.controls.microphone.mode = listen;
      }
    }
  }

  private readonly dispose = (): void => {
    this.unmountPanel();
    this.link.dispose();
    this.host.dispose();
    this.node.remove();
    Signal.clearData(this);
  };

  private readonly onLink = (_: unknown, state: LinkState): void => {
    if (state.name === 'open') {
      this.unmountPanel();
      this.host.renew();
      this.mountPanel(state.channel);
    }
    this.update();
  };

  private mountPanel(channel: Channel): void {
    channel.onMessage(message => this.receive(channel, message));
    this.unmount = mount(this.node, {
      loadPart: loadChunk,
      channel,
      view: 'panel',
      turnId: 0,
      kind: 'sidebar',
      cells: true,
      holdKey: () => this.surroundings.talkKeys(),
      trans: this.words,
      onReveal: () => this.surroundings.reveal(this.panel),
      onChange: snapshot => {
        this.snapshot = snapshot;
        this.update();
      },
      onReady: controls => {
        this.controls = controls;
      }
    });
  }

  private unmountPanel(): void {
    this.unmount?.();
    this.unmount = null;
    this.controls = null;
    this.snapshot = null;
  }

  private receive(channel: Channel, message: ToSurface): void {
    if (message.type === 'cell_cancel') {
      this.host.cancel(message.id);
    } else if (message.type === 'cell_request') {
      void this.host.answer(message).then(reply => {
        try {
          channel.send(reply);
        } catch {
          // The kernel that asked is gone, and with it whoever waited for the answer.
        }
      });
    }
  }

  private update(): void {
    this.applyPreferences();
    this.changedSignal.emit();
  }

  /** Links to cells (`#cell-id=...`) in results and answers lead to the cell. */
  private readonly followLink = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest('a[href*="#cell-id="]') : null;
    const id = link?.getAttribute('href')?.split('#cell-id=')[1];
    if (id && this.host.reveal(decodeURIComponent(id))) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
}
