/**
 * The connection of one notebook to its kernel, over a comm: opened when a person asks, kept alive after.
 *
 * Responsible for loading voice_kernel in the kernel, for opening the comm, and for doing both again after
 * a restart, a change of kernel, or a lost network. It does not know what the messages mean, save Hello,
 * which it repeats when messages may have been lost.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Hello, ToKernel, ToSurface } from './messages.gen';
import type { Channel, OnMessage, Unsubscribe } from './panel/channel';
import { beside, within } from './subshell';

const TARGET = 'voice_kernel';
/** A kernel that is idle answers in milliseconds; one that does not by now is busy. */
const PATIENCE_MS = 700;
const SUBSHELL_MS = 1_000;

/**
 * `asleep`: nobody asked yet. `waiting`: the kernel is busy and takes nothing before it is done.
 * `missing`: voice_kernel is not installed where the kernel runs. `foreign`: the kernel speaks no Python.
 */
export type LinkState =
  | { readonly name: 'asleep' | 'no_kernel' | 'connecting' | 'waiting' | 'restarting' | 'dead' | 'missing' }
  | { readonly name: 'foreign'; readonly language: string }
  | { readonly name: 'failed'; readonly message: string }
  | { readonly name: 'open'; readonly channel: Channel };

/** Loads the magics and makes the session, leaving no name behind; runs again without harm. */
function loadingCode(language: string): string {
  const chosen = language
    ? `__import__("os").environ.setdefault("VOICE_KERNEL_LANGUAGE", ${JSON.stringify(language)}), `
    : '';
  return (
    `(lambda shell: (${chosen}shell.extension_manager.load_extension("voice_kernel"), ` +
    '__import__("voice_kernel.app", fromlist=["app"]).app_of(shell), None)[-1])(get_ipython())'
  );
}

/** A comm as the panel's channel. */
export class CommChannel implements Channel {
  private readonly onMessageCalls = new Set<OnMessage>();
  private readonly onCloseCalls = new Set<() => void>();
  private hello: Hello | null = null;
  closed = false;

  constructor(private readonly comm: Kernel.IComm) {
    comm.onMsg = message => {
      const data = message.content.data as unknown as ToSurface;
      this.onMessageCalls.forEach(call => call(data, message.buffers));
    };
    comm.onClose = () => this.end();
  }

  send(message: ToKernel, buffers?: ArrayBuffer[]): void {
    if (this.closed) {
      throw new Error('The channel is closed.');
    }
    if (message.type === 'hello') {
      this.hello = message;
    }
    this.comm.send(message as unknown as JSONObject, undefined, buffers);
  }

  onMessage(callback: OnMessage): Unsubscribe {
    this.onMessageCalls.add(callback);
    return () => void this.onMessageCalls.delete(callback);
  }

  onClose(callback: () => void): Unsubscribe {
    this.onCloseCalls.add(callback);
    return () => void this.onCloseCalls.delete(callback);
  }

  /** Messages may have been lost: asks for the whole state again. */
  refresh(): void {
    if (this.hello && !this.closed) {
      this.send(this.hello);
    }
  }

  /** Tells the panel that the other end is gone. */
  end(): void {
    if (!this.closed) {
      this.closed = true;
      this.onCloseCalls.forEach(call => call());
    }
  }

  /** Tells the kernel that this end goes, as far as that is still possible. */
  close(): void {
    if (this.closed) {
      return;
    }
    this.end();
    try {
      this.comm.close();
    } catch {
      // The kernel connection is gone already, and the comm with it.
    }
  }
}

export class KernelLink {
  private current: LinkState = { name: 'asleep' };
  private readonly changedSignal = new Signal<this, LinkState>(this);
  private channel: CommChannel | null = null;
  /** The connection that carries the channel, where that is not the notebook's. */
  private own: Kernel.IKernelConnection | null = null;
  /** Raised whenever what is under way has become pointless. */
  private epoch = 0;
  private wanted = false;

  constructor(
    private readonly session: ISessionContext,
    private readonly language: () => string
  ) {
    session.kernelChanged.connect(this.onKernelChanged);
    session.statusChanged.connect(this.onStatus);
    session.connectionStatusChanged.connect(this.onConnection);
    session.disposed.connect(this.dispose);
    // Else the kernel goes on believing in a surface that no longer answers.
    window.addEventListener('pagehide', this.leave);
  }

  get state(): LinkState {
    return this.current;
  }

  get changed(): ISignal<this, LinkState> {
    return this.changedSignal;
  }

  /** Connects, now and from now on. A person asked for it. */
  wake(): void {
    if (!this.wanted || ['missing', 'failed', 'no_kernel', 'foreign'].includes(this.current.name)) {
      this.wanted = true;
      void this.connect();
    }
  }

  readonly dispose = (): void => {
    if (this.epoch < 0) {
      return;
    }
    this.leave();
    this.epoch = -Infinity;
    window.removeEventListener('pagehide', this.leave);
    Signal.clearData(this);
  };

  private async connect(): Promise<void> {
    const epoch = ++this.epoch;
    const isCurrent = (): boolean => epoch === this.epoch;
    this.closeChannel();
    this.enter({ name: 'connecting' });
    try {
      if (!this.session.session?.kernel) {
        await this.session.ready;
      }
      const kernel = this.session.session?.kernel;
      if (!isCurrent()) {
        return;
      }
      if (!kernel) {
        this.enter({ name: 'no_kernel' });
        return;
      }
      await this.join(kernel, isCurrent);
    } catch (error) {
      if (isCurrent()) {
        this.enter({ name: 'failed', message: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  private async join(kernel: Kernel.IKernelConnection, isCurrent: () => boolean): Promise<void> {
    let own: Kernel.IKernelConnection | null = null;
    if (!(await within(kernel.info, PATIENCE_MS))) {
      this.enter({ name: 'waiting' });
      own = await beside(kernel);
    }
    const connection = own ?? kernel;
    try {
      const { language_info } = await connection.info;
      if (!isCurrent()) {
        return;
      }
      if (language_info.name !== 'python') {
        this.enter({ name: 'foreign', language: language_info.name });
        return;
      }
      // The comm's subshell is made while the kernel imports.
      const comm = connection.createComm(TARGET);
      const subshell = subshellOf(comm, connection);
      const reply = await load(connection, loadingCode(this.language()));
      if (!isCurrent() || reply.status !== 'ok') {
        comm.dispose();
        if (isCurrent()) {
          this.enter(problemOf(reply));
        }
        return;
      }
      await subshell;
      if (!isCurrent()) {
        comm.dispose();
        return;
      }
      this.open(comm, own);
      own = null;
    } finally {
      own?.dispose();
    }
  }

  private open(comm: Kernel.IComm, own: Kernel.IKernelConnection | null): void {
    const channel = new CommChannel(comm);
    channel.onClose(() => {
      // Closed by the kernel while it lives: the extension was unloaded.
      if (this.channel === channel) {
        this.closeChannel();
        this.enter({ name: 'failed', message: '' });
      }
    });
    comm.open({ path: this.session.path });
    this.channel = channel;
    this.own = own;
    this.enter({ name: 'open', channel });
  }

  /** Ends the channel, telling the kernel as far as that is possible, and the connection that carried it. */
  private closeChannel(): void {
    const { channel, own } = this;
    this.channel = null;
    this.own = null;
    channel?.close();
    own?.dispose();
  }

  private enter(state: LinkState): void {
    this.current = state;
    this.changedSignal.emit(state);
  }

  /** Drops the channel without a word to a kernel that is not there any more. */
  private lose(state: LinkState): void {
    this.epoch++;
    this.channel?.end();
    this.closeChannel();
    this.enter(state);
  }

  private readonly onKernelChanged = (): void => {
    if (this.wanted) {
      void this.connect();
    }
  };

  private readonly onStatus = (_: unknown, status: Kernel.Status): void => {
    if (!this.wanted) {
      return;
    }
    if (status === 'restarting' || status === 'autorestarting') {
      this.lose({ name: 'restarting' });
    } else if (status === 'dead' || status === 'terminating') {
      this.lose({ name: 'dead' });
    } else if ((status === 'idle' || status === 'busy') && this.current.name === 'restarting') {
      void this.connect();
    }
  };

  private readonly onConnection = (_: unknown, status: Kernel.ConnectionStatus): void => {
    if (status === 'connected') {
      this.channel?.refresh();
    }
  };

  private readonly leave = (): void => this.closeChannel();
}

type Reply = KernelMessage.IExecuteReplyMsg['content'];

/**
 * Runs a line without a trace in the notebook; beside the cell that runs, where the kernel can do that.
 *
 * A kernel's status does not tell: any message on a subshell turns it to idle while a cell runs.
 */
async function load(kernel: Kernel.IKernelConnection, code: string): Promise<Reply> {
  const content = { code, silent: true, store_history: false, allow_stdin: false, stop_on_error: false };
  const direct = kernel.requestExecute(content).done.then(reply => reply.content);
  if (kernel.subshellId !== null || (await within(direct, PATIENCE_MS))) {
    return direct;
  }
  const subshell = kernel.supportsSubshells ? await beside(kernel) : null;
  if (!subshell) {
    return direct;
  }
  direct.catch(() => undefined); // it runs again, without harm, when the cell has ended
  try {
    return (await subshell.requestExecute(content).done).content;
  } finally {
    subshell.dispose();
  }
}

/**
 * Waits until a comm has its subshell, where it gets one; else even its opening waits for the cell that runs.
 * With comms over subshells switched off in JupyterLab the promise is never kept.
 */
async function subshellOf(comm: Kernel.IComm, kernel: Kernel.IKernelConnection): Promise<void> {
  const { subshellStarted } = comm as Kernel.IComm & { subshellStarted?: Promise<void> };
  if (kernel.supportsSubshells && kernel.subshellId === null && subshellStarted) {
    await within(subshellStarted, SUBSHELL_MS);
  }
}

function problemOf(reply: Reply): LinkState {
  if (reply.status === 'error') {
    const { ename, evalue } = reply as KernelMessage.IReplyErrorContent;
    const ours = /No module named '?voice_kernel'?$/.test(evalue);
    return ename === 'ModuleNotFoundError' && ours
      ? { name: 'missing' }
      : { name: 'failed', message: `${ename}: ${evalue}` };
  }
  return { name: 'failed', message: '' }; // aborted: an earlier cell failed
}
