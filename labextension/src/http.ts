/**
 * A Channel over HTTP alone: what the panel sends goes up in POSTs, what it is told comes down as
 * server-sent events.
 *
 * Responsible for order, for secrets that end, and for coming back after the connection broke. It does not
 * know what the messages mean, only that Hello begins them.
 */
import type { Hello, ToKernel, ToSurface } from './messages.gen';
import type { Buffers, Channel, OnMessage, Unsubscribe } from './panel/channel';

const KEPT = 'voice_kernel.session';
const HEAD_BYTES = 8;
const MAX_POST_BYTES = 1_000_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 8_000;
const GIVE_UP_MS = 60_000;

/** What is kept while the tab is open: a page that is loaded again goes on with the same kernel. */
interface Kept {
  readonly token: string;
  readonly client_secret: string;
  readonly expires_at: number;
  readonly session_id: string;
}

class Unauthorized extends Error {}

/** Who this page is for the server: a client secret, renewed before it ends. */
export class Access {
  private kept: Partial<Kept>;
  private renewal: Promise<string> | undefined;

  constructor(token: string) {
    this.kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') as Partial<Kept>;
    if (token && token !== this.kept.token) {
      this.kept = { token };
    }
  }

  /** A secret that is good for a while; a new one after the server refused the last. */
  async secret(refused = false): Promise<string> {
    const { client_secret: secret, expires_at: end = 0 } = this.kept;
    if (secret && !refused && end - Date.now() / 1000 > 60) {
      return secret;
    }
    this.renewal ??= this.renew(refused).finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async renew(refused: boolean): Promise<string> {
    const { token = '', client_secret: current = '', session_id = '' } = this.kept;
    const credential = token || (refused ? '' : current);
    const reply = await fetch('api/create-session', {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify({ session_id })
    });
    if (reply.status === 401) {
      throw new Unauthorized();
    }
    if (!reply.ok) {
      throw new Error(`no session: ${reply.status}`);
    }
    this.kept = { ...((await reply.json()) as Kept), token };
    sessionStorage.setItem(KEPT, JSON.stringify(this.kept));
    return this.kept.client_secret ?? '';
  }
}

/** Writes a message as the server reads it: two lengths, the JSON, the bytes beside it. */
export function framed(message: ToKernel, buffers: readonly ArrayBuffer[] = []): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const data = new Uint8Array(buffers[0] ?? new ArrayBuffer(0));
  const frame = new Uint8Array(HEAD_BYTES + json.length + data.length);
  const head = new DataView(frame.buffer);
  head.setUint32(0, json.length);
  head.setUint32(4, data.length);
  frame.set(json, HEAD_BYTES);
  frame.set(data, HEAD_BYTES + json.length);
  return frame;
}

/** Cuts a stream of server-sent events into events; what has not ended is kept for the next piece. */
export class EventReader {
  private rest = '';

  read(piece: string): { name: string; data: string }[] {
    const parts = (this.rest + piece).split('\n\n');
    this.rest = parts.pop() ?? '';
    return parts.flatMap(part => {
      let name = '';
      let data = '';
      for (const line of part.split('\n')) {
        if (line.startsWith('event: ')) {
          name = line.slice(7);
        } else if (line.startsWith('data: ')) {
          data += line.slice(6);
        }
      }
      return data ? [{ name, data }] : [];
    });
  }
}

function bytesOf(encoded: string): ArrayBuffer {
  return Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0)).buffer;
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export class HttpChannel implements Channel {
  private readonly listeners = new Set<OnMessage>();
  private readonly closers = new Set<() => void>();
  private readonly waiting: Uint8Array<ArrayBuffer>[] = [];
  private hello: Hello | null = null;
  private posting = false;
  private closed = false;

  constructor(
    private readonly access: Access,
    private readonly refused: () => void
  ) {}

  send(message: ToKernel, buffers?: ArrayBuffer[]): void {
    if (this.closed) {
      throw new Error('the channel is closed');
    }
    if (message.type === 'hello') {
      const first = this.hello === null;
      this.hello = message;
      if (first) {
        void this.listen();
      }
    }
    this.waiting.push(framed(message, buffers));
    void this.post();
  }

  onMessage(callback: OnMessage): Unsubscribe {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  onClose(callback: () => void): Unsubscribe {
    this.closers.add(callback);
    return () => this.closers.delete(callback);
  }

  private get address(): string {
    return `api/panel/${encodeURIComponent(this.hello?.surface_id ?? '')}`;
  }

  /** Asks the server, with a new secret where the old one was refused. */
  private async ask(address: string, options: RequestInit = {}): Promise<Response> {
    for (const again of [false, true]) {
      const secret = await this.access.secret(again);
      const reply = await fetch(address, { ...options, headers: { authorization: `Bearer ${secret}` } });
      if (reply.status !== 401) {
        return reply;
      }
    }
    throw new Unauthorized();
  }

  /** Posts what waits, one request after the other: so everything arrives in order. */
  private async post(): Promise<void> {
    if (this.posting) {
      return;
    }
    this.posting = true;
    while (this.waiting.length > 0 && !this.closed) {
      let count = 0;
      for (let size = 0; count < this.waiting.length && (count === 0 || size < MAX_POST_BYTES); count++) {
        size += this.waiting[count]?.length ?? 0;
      }
      const body = new Blob(this.waiting.slice(0, count));
      try {
        const reply = await this.ask(this.address, { method: 'POST', body });
        if (reply.status === 429 || reply.status === 503) {
          await pause(1_000);
          continue;
        }
        if (!reply.ok && this.hello && reply.status === 400) {
          // The server was started anew, and knows this page no more.
          this.waiting.splice(0, count, framed(this.hello));
          await pause(1_000);
          continue;
        }
      } catch (error) {
        if (error instanceof Unauthorized) {
          this.end();
          this.refused();
          break;
        }
        await pause(1_000); // `listen` gives up when it takes too long
        continue;
      }
      this.waiting.splice(0, count);
    }
    this.posting = false;
  }

  private async listen(): Promise<void> {
    let lostAt = 0;
    for (let wait = FIRST_PAUSE_MS; !this.closed; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      try {
        const reply = await this.ask(`${this.address}/events`);
        if (reply.ok && reply.body) {
          if (lostAt > 0 && this.hello) {
            this.waiting.push(framed(this.hello)); // what was missed comes with the whole state
            void this.post();
          }
          lostAt = 0;
          wait = FIRST_PAUSE_MS;
          await this.read(reply.body);
        }
      } catch (error) {
        if (error instanceof Unauthorized) {
          this.end();
          this.refused();
          return;
        }
      }
      lostAt ||= Date.now();
      if (Date.now() - lostAt > GIVE_UP_MS) {
        this.end();
      }
      await pause(wait);
    }
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const events = new EventReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      for (const { name, data } of events.read(value)) {
        if (name === 'message') {
          const { message, buffers } = JSON.parse(data) as { message: ToSurface; buffers: string[] };
          const bytes: Buffers = buffers.map(bytesOf);
          this.listeners.forEach(listener => listener(message, bytes));
        }
      }
    }
  }

  private end(): void {
    if (!this.closed) {
      this.closed = true;
      this.closers.forEach(callback => callback());
    }
  }
}
