/**
 * Sound as numbers: rate conversion, 40 ms chunks of 16-bit samples, and how loud they are.
 *
 * Pure: it knows no microphone, no browser and no message.
 */

export const RATE_HZ = 16_000;
/** 40 ms at 16 kHz. */
export const CHUNK_SAMPLES = 640;

/** Zero crossings of the windowed sinc on each side; 16 puts aliases some 60 dB down. */
const CROSSINGS = 16;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Converts a stream from one rate to another through a windowed-sinc low-pass (Blackman), so that nothing
 * above the new Nyquist frequency folds into speech.
 *
 * Output sample n lies at input time n * from / to; `push` returns those that the input so far decides.
 */
export class Resampler {
  /** Input steps per output sample, in units of 1/`phases` input samples. */
  private readonly step: number;
  private readonly phases: number;
  private readonly half: number;
  private readonly kernels: Float32Array[] = [];
  private readonly cutoff: number;
  private pending: Float32Array;
  /** Of the next output sample, relative to `pending[half - 1]`, in units of 1/`phases`. */
  private position = 0;

  constructor(fromHz: number, toHz: number) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.step = fromHz / divisor;
    this.phases = toHz / divisor;
    // As a share of the input rate: 95 % of the lower Nyquist frequency.
    this.cutoff = (0.475 * Math.min(fromHz, toHz)) / fromHz;
    this.half = Math.ceil(CROSSINGS / (2 * this.cutoff));
    this.pending = new Float32Array(this.half - 1);
  }

  push(block: Float32Array): Float32Array {
    if (this.step === this.phases) {
      return block;
    }
    const input = new Float32Array(this.pending.length + block.length);
    input.set(this.pending);
    input.set(block, this.pending.length);
    const output: number[] = [];
    let base = Math.floor(this.position / this.phases);
    while (base + 2 * this.half <= input.length) {
      const kernel = this.kernel(this.position % this.phases);
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) {
        sum += kernel[k]! * input[base + k]!;
      }
      output.push(sum);
      this.position += this.step;
      base = Math.floor(this.position / this.phases);
    }
    const drop = Math.min(base, input.length);
    this.pending = input.slice(drop);
    this.position -= drop * this.phases;
    return Float32Array.from(output);
  }

  /** Returns the samples that still waited for input to follow. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.half));
  }

  private kernel(phase: number): Float32Array {
    const known = this.kernels[phase];
    if (known) {
      return known;
    }
    const kernel = new Float32Array(2 * this.half);
    let total = 0;
    for (let k = 0; k < kernel.length; k++) {
      const t = k - (this.half - 1) - phase / this.phases;
      const x = 2 * this.cutoff * t;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const u = t / this.half;
      const window =
        Math.abs(u) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * u) + 0.08 * Math.cos(2 * Math.PI * u);
      kernel[k] = sinc * window;
      total += kernel[k]!;
    }
    for (let k = 0; k < kernel.length; k++) {
      kernel[k]! /= total;
    }
    this.kernels[phase] = kernel;
    return kernel;
  }
}

/** Samples in [-1, 1] as 16-bit integers; what lies outside is clipped. */
export function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-1, Math.min(1, samples[i]!));
    out[i] = Math.round(value < 0 ? value * 32_768 : value * 32_767);
  }
  return out;
}

/** Cuts a stream into chunks of equal size. */
export class Chunker {
  private buffer: Float32Array;
  private filled = 0;

  constructor(private readonly size: number = CHUNK_SAMPLES) {
    this.buffer = new Float32Array(size);
  }

  push(samples: Float32Array): Float32Array[] {
    const chunks: Float32Array[] = [];
    let from = 0;
    while (from < samples.length) {
      const take = Math.min(this.size - this.filled, samples.length - from);
      this.buffer.set(samples.subarray(from, from + take), this.filled);
      this.filled += take;
      from += take;
      if (this.filled === this.size) {
        chunks.push(this.buffer);
        this.buffer = new Float32Array(this.size);
        this.filled = 0;
      }
    }
    return chunks;
  }

  /** Returns the last, shorter chunk, if there is one. */
  flush(): Float32Array[] {
    const rest = this.buffer.slice(0, this.filled);
    this.filled = 0;
    return rest.length > 0 ? [rest] : [];
  }
}

/** Below this loudness (-46 dB) nobody speaks to a microphone. */
const QUIET = 0.15;
/** After 3 s of quiet no end of an utterance is waited for any more. */
const QUIET_CHUNKS = 75;

/** Joins chunks while it has been quiet for long; what is loud goes on at once, with what waited before it. */
export class QuietBatcher {
  private waiting: Float32Array[] = [];
  private quiet = 0;

  constructor(private readonly most: number) {}

  push(chunk: Float32Array, level: number): Float32Array[] {
    this.quiet = level < QUIET ? this.quiet + 1 : 0;
    this.waiting.push(chunk);
    return this.quiet > QUIET_CHUNKS && this.waiting.length < this.most ? [] : this.flush();
  }

  /** Returns what waits, as one. */
  flush(): Float32Array[] {
    const parts = this.waiting;
    this.waiting = [];
    if (parts.length < 2) {
      return parts;
    }
    const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return [joined];
  }
}

/** Loudness of a piece from 0 (-54 dB full scale and below) to 1 (full scale). */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    sum += samples[i]! * samples[i]!;
  }
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.max(0, Math.min(1, (20 * Math.log10(rms + 1e-9) + 54) / 54));
}
