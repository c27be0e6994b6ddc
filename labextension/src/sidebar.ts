/**
 * Host 2: the panel in JupyterLab's and Notebook's side bar, following the active notebook.
 *
 * Responsible for showing the active notebook's panel, or what to do where there is none. Nothing is
 * connected, loaded or run before a person opens it. It does not know the panel's inside.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { LinkState } from './link';
import type { NotebookVoice } from './voice';
import './sidebar.css';

export interface SidebarActions {
  /** Lets the person pick a kernel for the notebook. */
  chooseKernel(): void;
  restartKernel(): void;
  /** Puts a cell that installs voice_kernel into the notebook. */
  insertInstallation(panel: NotebookPanel): void;
}

export class Sidebar extends Widget {
  private voice: NotebookVoice | null = null;
  private readonly note = document.createElement('div');
  private readonly changedSignal = new Signal<this, void>(this);

  constructor(
    private readonly voiceOf: (panel: NotebookPanel) => NotebookVoice,
    private readonly actions: SidebarActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('vk-sidebar');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Voice'));
    this.note.className = 'vk-sidebar-note';
    this.note.setAttribute('role', 'status');
    this.node.append(this.note);
    this.draw();
  }

  /** Says that the notebook or its state has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** The active notebook's voice, once the side bar was opened on it. */
  get current(): NotebookVoice | null {
    return this.voice;
  }

  follow(panel: NotebookPanel | null): void {
    const voice = panel ? this.voiceOf(panel) : null;
    if (voice === this.voice) {
      return;
    }
    this.voice?.changed.disconnect(this.draw);
    this.voice = voice;
    voice?.changed.connect(this.draw);
    voice?.panel.disposed.connect(() => {
      if (this.voice === voice) {
        this.follow(null);
      }
    });
    if (this.isVisible) {
      voice?.link.wake();
    }
    this.draw();
  }

  /** Puts the focus into the panel, once there is one, unless the person goes elsewhere meanwhile. */
  takeFocus(): void {
    this.focusFrom = document.activeElement ?? document.body;
    this.passFocus();
  }

  private focusFrom: Element | null = null;

  private passFocus(): void {
    const controls = this.voice?.link.state.name === 'open' ? this.voice.controls : null;
    if (this.focusFrom && controls) {
      if (document.activeElement === this.focusFrom || document.activeElement === document.body) {
        controls.focus();
      }
      this.focusFrom = null;
    }
  }

  protected override onAfterShow(): void {
    this.voice?.link.wake();
    this.draw();
  }

  private readonly draw = (): void => {
    const state = this.voice?.link.state;
    const node = state && hasPanel(state) ? (this.voice?.node ?? null) : null;
    for (const other of [...this.node.children]) {
      // Hidden, not taken away: a panel keeps its draft, its scroll position and its connection.
      if (other !== this.note) {
        (other as HTMLElement).hidden = other !== node;
      }
    }
    if (node) {
      if (node.parentElement !== this.node) {
        this.node.append(node);
      }
      node.hidden = false;
    }
    this.drawNote(state, node !== null);
    this.passFocus();
    this.changedSignal.emit();
  };

  private drawn = '';

  private drawNote(state: LinkState | undefined, covered: boolean): void {
    const note = covered ? null : this.noteOf(state);
    const key = JSON.stringify(note);
    if (key === this.drawn) {
      return;
    }
    this.drawn = key;
    this.note.hidden = note === null;
    this.note.replaceChildren();
    if (!note) {
      return;
    }
    const title = document.createElement('p');
    title.className = 'vk-sidebar-title';
    title.textContent = note.title;
    this.note.append(title);
    if (note.hint) {
      const hint = document.createElement('p');
      hint.textContent = note.hint;
      this.note.append(hint);
    }
    for (const [label, act] of note.buttons ?? []) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'jp-Button jp-mod-styled jp-mod-accept';
      button.textContent = label;
      button.addEventListener('click', act);
      this.note.append(button);
    }
  }

  private noteOf(state: LinkState | undefined): Note {
    const { trans, actions } = this;
    const again: Button = [trans.__('Try again'), () => this.voice?.link.wake()];
    switch (state?.name) {
      case undefined:
        return {
          title: trans.__('Open a notebook'),
          hint: trans.__('Voice acts in the notebook in front: open one, and it connects to its kernel.')
        };
      case 'asleep':
      case 'connecting':
      case 'open':
        return { title: trans.__('Connecting to the kernel…') };
      case 'waiting':
        return {
          title: trans.__('The kernel is busy'),
          hint: trans.__('Voice connects as soon as the cell that runs has ended.')
        };
      case 'restarting':
        return { title: trans.__('The kernel restarts…') };
      case 'dead':
        return {
          title: trans.__('The kernel has ended'),
          hint: trans.__('Restart it to go on.'),
          buttons: [[trans.__('Restart the kernel'), () => actions.restartKernel()]]
        };
      case 'no_kernel':
        return {
          title: trans.__('This notebook has no kernel'),
          buttons: [[trans.__('Choose a kernel'), () => actions.chooseKernel()]]
        };
      case 'foreign':
        return {
          title: trans.__('This kernel speaks %1', state.language),
          hint: trans.__('Voice needs a Python kernel.'),
          buttons: [[trans.__('Choose a kernel'), () => actions.chooseKernel()]]
        };
      case 'missing':
        return {
          title: trans.__('voice_kernel is not installed in this kernel'),
          hint: trans.__('Run %pip install voice-kernel in a cell, then try again.'),
          buttons: [
            [
              trans.__('Insert that cell'),
              () => this.voice && actions.insertInstallation(this.voice.panel)
            ],
            again
          ]
        };
      case 'failed':
        return {
          title: trans.__('Voice could not start in this kernel'),
          hint: state.message || trans.__('The session in the kernel was closed.'),
          buttons: [again]
        };
    }
  }
}

type Button = readonly [label: string, act: () => void];

interface Note {
  readonly title: string;
  readonly hint?: string;
  readonly buttons?: readonly Button[];
}

function hasPanel(state: LinkState): boolean {
  return state.name === 'open';
}
