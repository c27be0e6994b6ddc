import { describe, expect, it } from 'vitest';
import { CHUNK_SAMPLES, Chunker, QuietBatcher, RATE_HZ, Resampler, loudness, toInt16 } from '../src/panel/pcm';

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

describe('QuietBatcher', () => {
  const chunk = (value: number) => new Float32Array(CHUNK_SAMPLES).fill(value);
  const lengths = (batches: Float32Array[]) => batches.map(batch => batch.length / CHUNK_SAMPLES);

  it('sends every chunk by itself until it has been quiet for three seconds', () => {
    const batcher = new QuietBatcher(4);
    for (let n = 0; n < 75; n++) {
      expect(lengths(batcher.push(chunk(0), 0))).toEqual([1]);
    }
    expect([0, 0, 0, 0, 0].map(level => lengths(batcher.push(chunk(0), level)))).toEqual([[], [], [], [4], []]);
  });

  it('lets nothing wait once it is loud, and keeps the order', () => {
    const batcher = new QuietBatcher(4);
    for (let n = 0; n < 75; n++) {
      batcher.push(chunk(0), 0);
    }
    expect(batcher.push(chunk(0.1), 0)).toEqual([]);
    const [batch] = batcher.push(chunk(0.9), 0.8);
    expect([batch!.length, batch![0], batch![CHUNK_SAMPLES]]).toEqual([
      2 * CHUNK_SAMPLES, Math.fround(0.1), Math.fround(0.9)
    ]);
    expect(lengths(batcher.push(chunk(0), 0))).toEqual([1]);
  });

  it('gives the rest at the end, and nothing twice', () => {
    const batcher = new QuietBatcher(4);
    for (let n = 0; n < 77; n++) {
      batcher.push(chunk(0), 0);
    }
    expect(lengths(batcher.flush())).toEqual([2]);
    expect(batcher.flush()).toEqual([]);
  });

  it('joins nothing while a key is held', () => {
    const batcher = new QuietBatcher(1);
    for (let n = 0; n < 200; n++) {
      expect(lengths(batcher.push(chunk(0), 0))).toEqual([1]);
    }
  });
});
