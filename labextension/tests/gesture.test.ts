import { describe, expect, it } from 'vitest';
import { HoldGesture } from '../src/panel/gesture';

describe('HoldGesture', () => {
  it('listens while held', () => {
    const gesture = new HoldGesture();
    expect(gesture.press(0)).toBe('start');
    expect(gesture.release(900)).toBe('stop');
  });

  it('stays open after a click, until the next press', () => {
    const gesture = new HoldGesture();
    expect([gesture.press(0), gesture.release(120)]).toEqual(['start', 'nothing']);
    expect(gesture.isLatched).toBe(true);
    expect([gesture.press(2_000), gesture.release(2_100)]).toEqual(['stop', 'nothing']);
    expect(gesture.press(3_000)).toBe('start');
  });

  it('ignores the repeats of a held key', () => {
    const gesture = new HoldGesture();
    expect([gesture.press(0), gesture.press(30), gesture.press(60)]).toEqual(['start', 'nothing', 'nothing']);
    expect(gesture.release(600)).toBe('stop');
  });

  it('ends when the release can not be seen any more', () => {
    const gesture = new HoldGesture();
    gesture.press(0);
    expect(gesture.interrupt()).toBe('stop');
    expect(gesture.release(900)).toBe('nothing');
  });

  it('stays open when the window loses the focus after a click', () => {
    const gesture = new HoldGesture();
    gesture.press(0);
    gesture.release(100);
    expect(gesture.interrupt()).toBe('nothing');
    expect(gesture.isLatched).toBe(true);
  });

  it('latches every press for those who only click', () => {
    const gesture = new HoldGesture(true);
    expect([gesture.press(0), gesture.release(5_000), gesture.press(6_000)]).toEqual(['start', 'nothing', 'stop']);
  });

  it('starts afresh when the recording ended by itself', () => {
    const gesture = new HoldGesture();
    gesture.press(0);
    gesture.release(100);
    gesture.reset();
    expect(gesture.press(1_000)).toBe('start');
  });
});
