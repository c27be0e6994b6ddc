import { describe, expect, it } from 'vitest';
import { samplesOf } from '../src/panel/speaker';

describe('samplesOf', () => {
  it('reads little-endian samples of a buffer, and of a view into a larger one', () => {
    const bytes = new Uint8Array([9, 9, 0x00, 0x40, 0x00, 0x80, 9]);
    expect([...samplesOf([new DataView(bytes.buffer, 2, 4)])!]).toEqual([0.5, -1]);
    expect([...samplesOf([bytes.slice(2, 6).buffer])!]).toEqual([0.5, -1]);
  });

  it('leaves half a sample out, and knows when there is no sound', () => {
    expect(samplesOf([new Uint8Array([0, 0, 1]).buffer])!.length).toBe(1);
    expect(samplesOf([])).toBeNull();
  });
});
