import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Interjection, decibels, pitch } from '../src/panel/interjection';
import { RATE_HZ } from '../src/panel/pcm';

const CHUNK = 640;
const ANSWER_DB = -20;

/** Noise from a fixed seed, in [-1, 1]. */
function hiss(seconds: number, level: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: seconds * RATE_HZ }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return level * (state / 2 ** 31 - 1);
  });
}

function tone(seconds: number, hz: number, level: number): Float32Array {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / RATE_HZ));
}

function clip(name: string): Float32Array {
  const bytes = readFileSync(join(__dirname, '../../tests/data/speech', name));
  return Float32Array.from({ length: (bytes.length - 44) >> 1 }, (_, i) => bytes.readInt16LE(44 + 2 * i) / 32_768);
}

function scaled(samples: Float32Array, by: number): Float32Array {
  return samples.map(sample => sample * by);
}

function joined(...parts: Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap(part => [...part]));
}

/** Pushes all of a sound; returns the second at which somebody is first found to talk, or null. */
function found(detector: Interjection, sound: Float32Array, playedDb = ANSWER_DB): number | null {
  let first: number | null = null;
  for (let at = 0; at + CHUNK <= sound.length; at += CHUNK) {
    if (detector.push(sound.subarray(at, at + CHUNK), playedDb)) {
      first ??= (at + CHUNK) / RATE_HZ;
    }
  }
  return first;
}

describe('Interjection', () => {
  it.each(['hibari_025.wav', 'flite-slt_035.wav', 'librivox_0930.wav', 'hibari_002.wav'])(
    'finds a voice within a tenth of a second or two (%s)',
    name => {
      const spoken = clip(name);
      const first = spoken.findIndex(sample => Math.abs(sample) > 0.05) / RATE_HZ;
      const at = found(new Interjection(), joined(hiss(1, 0.001), spoken));
      expect(at).not.toBeNull();
      expect(at! - 1 - first).toBeLessThan(0.2);
    }
  );

  it('lets clicks and keys pass', () => {
    const keys = joined(...Array.from({ length: 12 }, (_, i) => joined(hiss(0.02, 0.5, i + 1), hiss(0.1, 0.001, i + 2))));
    expect(found(new Interjection(), joined(hiss(1, 0.001), keys))).toBeNull();
  });

  it('gets used to a noise that stays', () => {
    const detector = new Interjection();
    found(detector, hiss(8, 0.01));
    expect(found(detector, hiss(4, 0.01, 5))).toBeNull();
  });

  it('takes an echo that the answer explains for no voice, and a voice above it for one', () => {
    const spoken = clip('librivox_0930.wav');
    const loud = spoken.findIndex(sample => Math.abs(sample) > 0.05);
    const echo = scaled(spoken.subarray(loud), 0.05);
    const playedDb = decibels(spoken.subarray(loud));
    const detector = new Interjection();
    expect(found(detector, echo, playedDb)).toBeNull();
    expect(found(detector, spoken, playedDb)).not.toBeNull();
  });

  it('wants what was refused to be louder, and forgets that with time', () => {
    const detector = new Interjection();
    const music = tone(0.4, 220, 0.1);
    expect(found(detector, joined(hiss(0.4, 0.001), music))).not.toBeNull();
    detector.refuse(detector.loudest);
    expect(found(detector, joined(hiss(0.4, 0.001), music))).toBeNull();
    expect(found(detector, tone(0.4, 220, 0.4))).not.toBeNull();
    found(detector, hiss(12, 0.001));
    expect(found(detector, music)).not.toBeNull();
  });
});

describe('pitch', () => {
  it('is high for what repeats itself like a voice, and low for noise', () => {
    expect(pitch(tone(0.04, 120, 0.3))).toBeGreaterThan(0.9);
    expect(pitch(hiss(0.04, 0.3))).toBeLessThan(0.5);
  });
});
