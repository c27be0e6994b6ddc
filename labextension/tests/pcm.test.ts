import { describe, expect, it } from 'vitest';
import { CHUNK_SAMPLES, Chunker, RATE_HZ, Resampler, loudness, toInt16 } from '../src/panel/pcm';

function tone(hz: number, rateHz: number, seconds: number): Float32Array {
  return Float32Array.from({ length: Math.round(rateHz * seconds) }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rateHz));
}

function resample(input: Float32Array, fromHz: number, block: number): Float32Array {
  const resampler = new Resampler(fromHz, RATE_HZ);
  const out: number[] = [];
  for (let at = 0; at < input.length; at += block) {
    out.push(...resampler.push(input.subarray(at, at + block)));
  }
  out.push(...resampler.flush());
  return Float32Array.from(out);
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

describe('Resampler', () => {
  it.each([48_000, 44_100, 32_000, 22_050, 8_000])('keeps a 440 Hz tone from %i Hz, in time and in height', fromHz => {
    const out = resample(tone(440, fromHz, 1), fromHz, 1_024);
    const wanted = tone(440, RATE_HZ, 1);
    expect(Math.abs(out.length - RATE_HZ)).toBeLessThanOrEqual(1);
    const error = out.slice(200, 15_800).map((value, n) => value - wanted[n + 200]!);
    expect(rms(error)).toBeLessThan(0.002);
  });

  it.each([
    [48_000, 10_000],
    [44_100, 12_000]
  ])('lets nothing of %i Hz input at %i Hz fold into speech', (fromHz, hz) => {
    expect(rms(resample(tone(hz, fromHz, 0.5), fromHz, 1_920).slice(200, -200))).toBeLessThan(0.002);
  });

  it('gives the same samples whatever the size of the blocks', () => {
    const input = tone(1_000, 44_100, 0.3);
    expect(Array.from(resample(input, 44_100, 128))).toEqual(Array.from(resample(input, 44_100, 5_000)));
  });

  it('hands 16 kHz through untouched', () => {
    const block = tone(440, RATE_HZ, 0.04);
    expect(new Resampler(RATE_HZ, RATE_HZ).push(block)).toBe(block);
  });
});

describe('Chunker', () => {
  it('cuts chunks of 40 ms, in order, and keeps the rest for the end', () => {
    const chunker = new Chunker();
    const samples = Float32Array.from({ length: 1_500 }, (_, n) => n);
    const chunks = [...chunker.push(samples.subarray(0, 100)), ...chunker.push(samples.subarray(100))];
    expect(chunks.map(chunk => chunk.length)).toEqual([CHUNK_SAMPLES, CHUNK_SAMPLES]);
    const rest = chunker.flush();
    expect(rest.map(chunk => chunk.length)).toEqual([220]);
    expect([...chunks, ...rest].flatMap(chunk => [...chunk])).toEqual([...samples]);
    expect(chunker.flush()).toEqual([]);
  });
});

describe('toInt16', () => {
  it('scales to the whole range and clips what lies outside', () => {
    expect([...toInt16(Float32Array.from([0, 1, -1, 2, -2, 0.5]))]).toEqual([0, 32767, -32768, 32767, -32768, 16384]);
  });
});

describe('loudness', () => {
  it('runs from 0 for silence to 1 for full scale', () => {
    expect(loudness(new Float32Array(320))).toBe(0);
    expect(loudness(new Float32Array(320).fill(1))).toBeCloseTo(1);
    expect(loudness(tone(440, RATE_HZ, 0.02).map(value => value * 0.05))).toBeGreaterThan(0.3);
  });
});
