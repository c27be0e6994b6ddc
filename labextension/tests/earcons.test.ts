import { describe, expect, it } from 'vitest';
import { earconOf } from '../src/panel/earcons';
import { EMPTY_SESSION, reduce } from '../src/panel/store';
import { aState, aTurn } from './entities';

const HERE = 'page';
const turn = (change: Parameters<typeof aTurn>[0]) => aTurn({ surface_id: HERE, route: null, ...change });

describe('earconOf', () => {
  it('sounds once when words are taken', () => {
    const listening = { type: 'turn', turn: turn({ state: 'listening' }) } as const;
    const taken = { type: 'turn', turn: turn({ state: 'running', calls: [{ tool: 'undo', arguments: {} }] }) } as const;
    expect(earconOf(EMPTY_SESSION, listening, HERE)).toBeNull();
    const before = reduce(EMPTY_SESSION, listening);
    expect(earconOf(before, taken, HERE)).toBe('heard');
    expect(earconOf(reduce(before, taken), taken, HERE)).toBeNull();
  });

  it('is silent about other pages, and about what was typed', () => {
    const calls = [{ tool: 'undo', arguments: {} }];
    expect(earconOf(EMPTY_SESSION, { type: 'turn', turn: turn({ calls, surface_id: 'other' }) }, HERE)).toBeNull();
    expect(earconOf(EMPTY_SESSION, { type: 'turn', turn: turn({ calls, origin: 'text' }) }, HERE)).toBeNull();
  });

  it('tells a question and an awakening', () => {
    expect(earconOf(EMPTY_SESSION, { type: 'turn', turn: turn({ asks: 'Did you mean “undo”?' }) }, HERE)).toBe('asks');
    const { speech } = aState();
    const asleep = { ...speech, hands_free: true, waiting_for: 'hey jupyter' };
    const before = reduce(EMPTY_SESSION, { type: 'speech', speech: asleep });
    expect(earconOf(before, { type: 'speech', speech: { ...asleep, waiting_for: '' } }, HERE)).toBe('woken');
    expect(earconOf(before, { type: 'speech', speech: { ...asleep, waiting_for: '', hands_free: false } }, HERE)).toBeNull();
  });
});
