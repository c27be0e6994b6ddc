import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToKernel, ToSurface } from '../src/messages.gen';
import type { Channel } from '../src/panel/channel';
import { Connection, type ConnectionPhase, SILENCE_MS } from '../src/panel/connection';
import { aState } from './entities';

class FakeChannel implements Channel {
  readonly sent: ToKernel[] = [];
  broken = false;
  deliver: (message: ToSurface) => void = () => undefined;
  close: () => void = () => undefined;

  send(message: ToKernel): void {
    if (this.broken) {
      throw new Error('comm is disposed');
    }
    this.sent.push(message);
  }
  onMessage(callback: (message: ToSurface) => void): () => void {
    this.deliver = callback;
    return () => undefined;
  }
  onClose(callback: () => void): () => void {
    this.close = callback;
    return () => undefined;
  }
}

function connected(kind: 'widget' | 'card' = 'widget') {
  const channel = new FakeChannel();
  const phases: ConnectionPhase[] = [];
  const connection = new Connection(channel, { kind, cells: false, client_tools: false }, {
    onMessage: () => undefined,
    onPhase: phase => phases.push(phase)
  });
  connection.hello();
  return { channel, connection, phases };
}

describe('Connection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says hello, then warms the recogniser up', () => {
    const { channel } = connected();
    expect(channel.sent.map(message => message.type)).toEqual(['hello', 'warm_up']);
  });

  it('does not load the recogniser for a card', () => {
    expect(connected('card').channel.sent.map(message => message.type)).toEqual(['hello']);
  });

  it('keeps its name when it says hello again', () => {
    const { channel, connection } = connected('card');
    connection.hello();
    const names = channel.sent.map(message => message.type === 'hello' && message.surface_id);
    expect(names[0]).toBeTruthy();
    expect(names[1]).toBe(names[0]);
  });

  it('opens with the first State', () => {
    const { channel, phases } = connected();
    channel.deliver(aState());
    vi.advanceTimersByTime(2 * SILENCE_MS);
    expect(phases).toEqual(['open']);
  });

  it('notices a kernel that does not answer, and one that answers late', () => {
    const { channel, phases } = connected();
    vi.advanceTimersByTime(SILENCE_MS);
    channel.deliver(aState());
    expect(phases).toEqual(['silent', 'open']);
  });

  it('notices a kernel that is gone, by word or by a failing send', () => {
    const told = connected();
    told.channel.close();
    expect(told.phases).toEqual(['closed']);
    expect(told.connection.send({ type: 'interrupt' })).toBe(false);

    const broken = connected();
    broken.channel.broken = true;
    expect(broken.connection.send({ type: 'interrupt' })).toBe(false);
    expect(broken.phases).toEqual(['closed']);
  });

  it('does not pretend to understand a newer protocol', () => {
    const { channel, phases } = connected();
    channel.deliver(aState({ protocol: 99 }));
    expect(phases).toEqual(['outdated']);
  });
});
