import { describe, expect, it } from 'vitest';
import { MAX_PX, physicalOf, physicalRange, virtualOf } from '../src/panel/scroll';

const LONG = 180_000_000;

describe('a scroll bar for more than a browser can lay out', () => {
  it('is the content itself while that is short', () => {
    expect(physicalRange(500_000)).toBe(500_000);
    expect(physicalOf(1_234, 500_000)).toBe(1_234);
    expect(virtualOf(1_234, 500_000)).toBe(1_234);
  });

  it('stays below what browsers allow', () => {
    expect(physicalRange(LONG)).toBe(MAX_PX);
    expect(physicalOf(LONG, LONG)).toBe(MAX_PX);
  });

  it('moves pixel by pixel near both ends', () => {
    expect(physicalOf(900, LONG)).toBe(900);
    expect(physicalOf(LONG - 900, LONG)).toBe(MAX_PX - 900);
    expect(virtualOf(MAX_PX - 900, LONG)).toBe(LONG - 900);
  });

  it('goes there and back again, and never backwards', () => {
    let last = -1;
    for (let top = 0; top <= LONG; top += LONG / 997) {
      const physical = physicalOf(top, LONG);
      expect(physical).toBeGreaterThan(last);
      expect(virtualOf(physical, LONG)).toBeCloseTo(top, 3);
      last = physical;
    }
  });

  it('keeps to its ends', () => {
    expect(physicalOf(-5, LONG)).toBe(0);
    expect(virtualOf(MAX_PX + 5, LONG)).toBe(LONG);
    expect(physicalRange(-3)).toBe(0);
  });
});
