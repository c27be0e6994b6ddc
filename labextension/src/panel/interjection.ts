/**
 * Whether somebody begins to talk into an answer that is being spoken.
 *
 * A guess within a tenth of a second, from the sound of the microphone and the loudness of what is played: the
 * answer is held on it, and the kernel, which knows speech from noise, lets it go on or ends it. A click or a key
 * is too short, an answer's own echo no louder than the answer explains, and what was taken for a voice in error
 * must be louder the next time. Pure: it knows no microphone, no loudspeaker and no message.
 */
import { RATE_HZ } from './pcm';

/** 20 ms. */
export const FRAME_SAMPLES = 320;
/** So many frames with the pitch of a voice within so many (80 within 100 ms) are somebody; fewer are a click. */
const SURE_FRAMES = 4;
const SURE_WITHIN = 5;
/** So many loud ones in a row are somebody, too: "stop" begins with a hiss. */
const LOUD_FRAMES = 5;
const LOUD_DB = 3;

/** Nobody talks to a microphone more quietly than this, nor nearer to the noise around. */
const LEAST_DB = -42;
const ABOVE_NOISE_DB = 12;
/** How much of an answer comes back through a microphone whose echo is cancelled, at most. */
const ECHO_DB = -28;
/** An echo arrives late: the loudness of so many frames explains it (0.4 s). */
const ECHO_FRAMES = 20;
/** How much louder than what was no voice a voice must be; and how fast that is forgotten (2 dB a second). */
const LOUDER_DB = 6;
const FORGOTTEN_DB = 0.04;
/** How fast the noise around is thought to rise, in dB a frame (5 dB a second). */
const RISE_DB = 0.1;

/** The pitch of a voice is looked for at 4 kHz, within two frames, from 70 to 400 Hz. */
const DECIMATION = 4;
const SHORTEST_LAG = RATE_HZ / DECIMATION / 400;
const LONGEST_LAG = Math.ceil(RATE_HZ / DECIMATION / 70);
/** So much of a piece must repeat itself after one period. */
const PITCHED = 0.6;

/** Loudness of samples in dB full scale. */
export function decibels(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    sum += samples[i]! * samples[i]!;
  }
  return 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
}

/** How much a piece of sound repeats itself at the period of a voice, 0 to 1. */
export function pitch(samples: Float32Array): number {
  const length = Math.floor(samples.length / DECIMATION);
  const low = new Float32Array(length);
  let mean = 0;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let k = 0; k < DECIMATION; k++) {
      sum += samples[i * DECIMATION + k]!;
    }
    low[i] = sum / DECIMATION;
    mean += low[i]! / length;
  }
  let best = 0;
  for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag++) {
    let product = 0;
    let here = 1e-9;
    let there = 1e-9;
    for (let i = 0; i + lag < length; i++) {
      const a = low[i]! - mean;
      const b = low[i + lag]! - mean;
      product += a * b;
      here += a * a;
      there += b * b;
    }
    best = Math.max(best, product / Math.sqrt(here * there));
  }
  return best;
}

export class Interjection {
  private before = new Float32Array(FRAME_SAMPLES);
  /** Whether there was a voice in the newest frames. */
  private readonly voiced: boolean[] = [];
  private loudFrames = 0;
  private readonly levels: number[] = [];
  private readonly played: number[] = [];
  private noiseDb = LEAST_DB - ABOVE_NOISE_DB;
  /** What was as loud as this was no voice. */
  private refusedDb = -Infinity;

  /**
   * Takes the next sound of the microphone; returns whether somebody talks.
   *
   * @param samples at 16 kHz, a multiple of 20 ms.
   * @param playedDb how loud the answer is at this moment; -Infinity where none is heard.
   */
  push(samples: Float32Array, playedDb: number): boolean {
    let talks = false;
    for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
      talks = this.next(samples.subarray(at, at + FRAME_SAMPLES), playedDb) || talks;
    }
    return talks;
  }

  /**
   * Takes in that what was found was no voice.
   *
   * @param loudDb how loud it was; see `loudest`.
   */
  refuse(loudDb: number): void {
    this.refusedDb = Math.max(this.refusedDb, loudDb);
    this.voiced.length = 0;
    this.loudFrames = 0;
  }

  /** How loud the newest 0.1 s were, in dB. */
  get loudest(): number {
    return Math.max(...this.levels, -Infinity);
  }

  private next(frame: Float32Array, playedDb: number): boolean {
    const both = new Float32Array(2 * FRAME_SAMPLES);
    both.set(this.before);
    both.set(frame, FRAME_SAMPLES);
    this.before = frame.slice();
    keep(this.played, playedDb, ECHO_FRAMES);
    const level = decibels(frame);
    keep(this.levels, level, SURE_WITHIN);
    const least = Math.max(
      LEAST_DB,
      this.noiseDb + ABOVE_NOISE_DB,
      Math.max(...this.played) + ECHO_DB,
      this.refusedDb + LOUDER_DB
    );
    this.noiseDb = Math.min(level, this.noiseDb + RISE_DB);
    this.refusedDb -= FORGOTTEN_DB;
    this.loudFrames = level >= least + LOUD_DB ? this.loudFrames + 1 : 0;
    keep(this.voiced, level >= least && pitch(both) >= PITCHED, SURE_WITHIN);
    return this.loudFrames >= LOUD_FRAMES || this.voiced.filter(Boolean).length >= SURE_FRAMES;
  }
}

function keep<T>(newest: T[], value: T, most: number): void {
  newest.push(value);
  if (newest.length > most) {
    newest.shift();
  }
}
