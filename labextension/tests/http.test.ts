import { afterEach, expect, test, vi } from 'vitest';
import { Access, EventReader, HttpChannel, framed } from '../src/http';
import type { Hello, ToSurface } from '../src/messages.gen';
import { soon } from './soon';

const HELLO: Hello = {
  type: 'hello',
  protocol: 1,
  surface_id: 's1',
  kind: 'widget',
  cells: false,
  client_tools: true,
  approve: [],
  asks: false,
  scripted: false
};
const NOTICE: ToSurface = { type: 'notice', level: 'info', message: 'Hello', hint: '' };

afterEach(() => {
  vi.unstubAllGlobals();
  sessionStorage.clear();
});

interface Asked {
  readonly address: string;
  readonly secret: string;
  readonly body: Uint8Array;
}

/** A server that keeps what it was asked, and whose events the test sends. */
class Server {
  readonly asked: Asked[] = [];
  readonly bad = new Set<string>();
  events: ReadableStreamDefaultController<Uint8Array> | undefined;
  private secrets = 0;

  constructor() {
    vi.stubGlobal('fetch', (address: string, options: RequestInit = {}) => this.answer(address, options));
  }

  private async answer(address: string, options: RequestInit): Promise<Response> {
    const secret = new Headers(options.headers).get('authorization')?.slice(7) ?? '';
    const body = new Uint8Array(await new Response(options.body ?? null).arrayBuffer());
    this.asked.push({ address, secret, body });
    if (address === 'api/create-session') {
      const kept = { client_secret: `secret${++this.secrets}`, expires_at: Date.now() / 1000 + 600, session_id: 'ses' };
      return secret === 'token' ? Response.json(kept) : new Response(null, { status: 401 });
    }
    if (this.bad.has(secret)) {
      return new Response(null, { status: 401 });
    }
    if (address.endsWith('/events')) {
      return new Response(new ReadableStream({ start: events => void (this.events = events) }));
    }
    return new Response(null, { status: 204 });
  }

  tell(text: string): void {
    this.events?.enqueue(new TextEncoder().encode(text));
  }

  get posted(): Asked[] {
    return this.asked.filter(({ address }) => address === 'api/panel/s1');
  }
}

test('a frame holds the lengths, the JSON and the bytes', () => {
  const frame = framed(HELLO, [new Uint8Array([7, 8]).buffer]);
  const head = new DataView(frame.buffer);
  const size = head.getUint32(0);
  expect(head.getUint32(4)).toBe(2);
  expect(JSON.parse(new TextDecoder().decode(frame.slice(8, 8 + size)))).toEqual(HELLO);
  expect([...frame.slice(8 + size)]).toEqual([7, 8]);
});

test('events are cut out of a stream wherever its pieces end', () => {
  const reader = new EventReader();
  expect(reader.read('event: message\nda')).toEqual([]);
  expect(reader.read('ta: {"a":1}\n\n: \n\nevent: x\n')).toEqual([{ name: 'message', data: '{"a":1}' }]);
  expect(reader.read('data: 2\n\n')).toEqual([{ name: 'x', data: '2' }]);
});

test('messages go up in order and come down with their bytes', async () => {
  const server = new Server();
  const channel = new HttpChannel(new Access('token'), () => undefined);
  const told: [ToSurface, number[]][] = [];
  channel.onMessage((message, buffers = []) => told.push([message, [...new Uint8Array(buffers[0] as ArrayBuffer)]]));
  channel.send(HELLO);
  channel.send({ type: 'interrupt' });
  await soon(() => expect(server.events).toBeDefined());
  server.tell(`event: message\ndata: ${JSON.stringify({ message: NOTICE, buffers: [btoa('\x01\x02')] })}\n\n`);
  await soon(() => expect(told).toEqual([[NOTICE, [1, 2]]]));
  await soon(() => {
    const text = server.posted.map(({ body }) => new TextDecoder().decode(body)).join('');
    expect(text.indexOf('"hello"')).toBeLessThan(text.indexOf('"interrupt"'));
    expect(text).toContain('"interrupt"');
  });
});

test('a secret that is refused is renewed, and nothing is lost', async () => {
  const server = new Server();
  server.bad.add('secret1');
  const channel = new HttpChannel(new Access('token'), () => undefined);
  channel.send(HELLO);
  await soon(() => expect(server.posted.at(-1)?.secret).toBe('secret2'));
});

test('without a good token the page is told so and the channel is closed', async () => {
  new Server();
  const refused = vi.fn();
  const closed = vi.fn();
  const channel = new HttpChannel(new Access('guess'), refused);
  channel.onClose(closed);
  channel.send(HELLO);
  await soon(() => expect(refused).toHaveBeenCalled());
  expect(closed).toHaveBeenCalledOnce();
  expect(() => channel.send(HELLO)).toThrow();
});

test('after the events broke off the page says hello again', async () => {
  const server = new Server();
  const channel = new HttpChannel(new Access('token'), () => undefined);
  channel.send(HELLO);
  await soon(() => expect([server.posted.length, server.events !== undefined]).toEqual([1, true]));
  server.events!.close();
  await soon(() => expect(server.posted).toHaveLength(2));
});

test('a page that is loaded again goes on with its session', async () => {
  const server = new Server();
  expect(await new Access('token').secret()).toBe('secret1');
  expect(await new Access('').secret()).toBe('secret1');
  expect(server.asked).toHaveLength(1);
});
