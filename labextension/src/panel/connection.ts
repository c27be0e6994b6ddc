/**
 * The handshake: says Hello, waits for State, notices silence and a lost kernel.
 *
 * Responsible for the connection's phase and for the surface's identity. It does not know what the
 * messages mean, only that `state` is the answer to Hello.
 */
import { PROTOCOL, type Hello, type ToKernel, type ToSurface } from '../messages.gen';
import type { Buffers, Channel, OnMessage, Unsubscribe } from './channel';

/** `silent`: no State came within `SILENCE_MS`; `closed`: the other end is gone. */
export type ConnectionPhase = 'connecting' | 'silent' | 'open' | 'outdated' | 'closed';

export const SILENCE_MS = 10_000;

export interface ConnectionEvents {
  onMessage: OnMessage;
  onPhase(phase: ConnectionPhase): void;
}

/** A random id; `crypto.randomUUID` exists only in secure contexts, and a remote hub may be plain http. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') {
    return crypto.randomUUID();
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

export class Connection {
  readonly surfaceId = randomId();
  phase: ConnectionPhase = 'connecting';
  private readonly unsubscribe: Unsubscribe[];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly host: Pick<Hello, 'kind' | 'cells' | 'client_tools'>,
    private readonly events: ConnectionEvents
  ) {
    this.unsubscribe = [
      channel.onMessage((message, buffers) => this.receive(message, buffers)),
      channel.onClose(() => this.enter('closed'))
    ];
  }

  /** Says Hello; a second call, after a reconnect, asks for the whole state again. */
  hello(): void {
    this.enter('connecting');
    this.send({
      type: 'hello',
      protocol: PROTOCOL,
      surface_id: this.surfaceId,
      kind: this.host.kind,
      cells: this.host.cells,
      approve: [],
      asks: false,
      client_tools: this.host.client_tools,
      scripted: false
    });
    if (this.host.kind !== 'card') {
      this.send({ type: 'warm_up' });
    }
  }

  /** Sends a message; a channel that cannot carry it any more is closed, which is not the caller's concern. */
  send(message: ToKernel, buffers?: ArrayBuffer[]): boolean {
    if (this.phase === 'closed') {
      return false;
    }
    try {
      this.channel.send(message, buffers);
      return true;
    } catch {
      // A disposed comm throws whatever its host throws; all of it means that the kernel is gone.
      this.enter('closed');
      return false;
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.unsubscribe.forEach(stop => stop());
  }

  private receive(message: ToSurface, buffers?: Buffers): void {
    if (message.type === 'state') {
      this.enter(message.protocol > PROTOCOL ? 'outdated' : 'open');
    }
    this.events.onMessage(message, buffers);
  }

  private enter(phase: ConnectionPhase): void {
    clearTimeout(this.timer);
    if (phase === 'connecting') {
      this.timer = setTimeout(() => this.enter('silent'), SILENCE_MS);
    }
    if (phase !== this.phase) {
      this.phase = phase;
      this.events.onPhase(phase);
    }
  }
}
