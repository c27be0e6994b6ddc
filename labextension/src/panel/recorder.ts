/**
 * The microphone: opens it, streams it as numbered chunks, and says in words why it cannot.
 *
 * Responsible for one recording at a time, from the device to `AudioStart`, `Audio`, `AudioReleased` and
 * `AudioEnd`. The device is open only while it records, so that the browser's own indicator tells the truth.
 * It does not know gestures, keys or drawing.
 */
import type { ToKernel } from '../messages.gen';
import { randomId } from './connection';
import { FRAME_SAMPLES } from './interjection';
import { Chunker, QuietBatcher, RATE_HZ, Resampler, loudness, toInt16 } from './pcm';
import type { Translator } from './translation';

/** `starting`: the device opens; `listening`: samples flow; `ending`: the last samples are on their way. */
export type MicrophonePhase = 'idle' | 'starting' | 'listening' | 'ending';

export interface MicrophoneProblem {
  readonly message: string;
  /** What the person can do now. */
  readonly hint: string;
}

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface RecorderEvents {
  send(message: ToKernel, buffers?: ArrayBuffer[]): void;
  onPhase(phase: MicrophonePhase): void;
  /** Loudness of the newest 20 ms, 0 to 1. */
  onLevel(level: number): void;
  /** The newest 20 ms, at 16 kHz. */
  onSound(samples: Float32Array): void;
  onProblem(problem: MicrophoneProblem): void;
  /** The first samples of an utterance are here: whoever else is to hear it may begin. */
  onOpen(utteranceId: string, stream: MediaStream): void;
  /** Nothing more is said. */
  onEnd(): void;
  /** The utterance was thrown away, or got lost. */
  onDiscard(): void;
}

export const MAX_RECORDING_MS = 5 * 60_000;
/** Sound is some 50 to 100 ms on its way through the system: what was said at release is still to come. */
export const POST_ROLL_MS = 100;
const FLUSH_MS = 250;
/** While a room is quiet, so many chunks are sent as one: a quarter of the messages, for hours. */
const QUIET_BATCH = 4;

/** The worklet only gathers: `AudioWorkletGlobalScope` has no modules to share, and pcm.ts can be tested. */
const WORKLET = `
class Gather extends AudioWorkletProcessor {
  constructor(options) {
    super();
    this.size = options.processorOptions.size;
    this.block = new Float32Array(this.size);
    this.filled = 0;
    this.open = true;
    this.port.onmessage = () => {
      this.port.postMessage(this.block.slice(0, this.filled));
      this.port.postMessage(null);
      this.open = false;
    };
  }
  process([channels]) {
    const samples = channels[0];
    if (samples && this.open) {
      let from = 0;
      while (from < samples.length) {
        const take = Math.min(this.size - this.filled, samples.length - from);
        this.block.set(samples.subarray(from, from + take), this.filled);
        this.filled += take;
        from += take;
        if (this.filled === this.size) {
          this.port.postMessage(this.block, [this.block.buffer]);
          this.block = new Float32Array(this.size);
          this.filled = 0;
        }
      }
    }
    return this.open;
  }
}
registerProcessor('voice-kernel-gather', Gather);
`;

/** Says what a failed `getUserMedia` or audio graph means, and what to do. */
export function problemOf(error: unknown, trans: Translator): MicrophoneProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        message: trans.__('The browser does not let this page use the microphone.'),
        hint: trans.__('Click the icon to the left of the address, allow the microphone, then try again. Typing works meanwhile.')
      };
    case 'NotFoundError':
      return {
        message: trans.__('No microphone was found.'),
        hint: trans.__('Plug one in, or choose another in the microphone settings. Typing works meanwhile.')
      };
    case 'OverconstrainedError':
      return {
        message: trans.__('The chosen microphone is not there any more.'),
        hint: trans.__('Choose another in the microphone settings.')
      };
    case 'NotReadableError':
    case 'AbortError':
      return {
        message: trans.__('The microphone is in use by another program, or the system holds it back.'),
        hint: trans.__('Close the program that uses it, or look at the privacy settings of the system, then try again.')
      };
    default:
      return {
        message: name
          ? trans.__('The microphone could not be opened (%1).', name)
          : trans.__('The microphone could not be opened.'),
        hint: trans.__('Try again, or reload the page. Typing works meanwhile.')
      };
  }
}

/** Returns why this page can never record, or null. */
export function obstacle(trans: Translator): MicrophoneProblem | null {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    return {
      message: trans.__('Browsers give the microphone only to secure pages, and this one is plain http.'),
      hint: trans.__('Open Jupyter over https, or through a tunnel as http://localhost. Typing works meanwhile.')
    };
  }
  if (typeof AudioWorkletNode === 'undefined') {
    return {
      message: trans.__('This browser is too old to stream sound (it has no AudioWorklet).'),
      hint: trans.__('Use a browser from 2021 or later. Typing works meanwhile.')
    };
  }
  return null;
}

/** Lists the microphones; their names are hidden until the microphone was allowed once. */
export async function listDevices(trans: Translator): Promise<Device[]> {
  if (!navigator.mediaDevices?.enumerateDevices) {
    return [];
  }
  const all = await navigator.mediaDevices.enumerateDevices();
  return all
    .filter(device => device.kind === 'audioinput' && device.deviceId !== '')
    .map((device, index) => ({ id: device.deviceId, label: device.label || trans.__('Microphone %1', index + 1) }));
}

interface Graph {
  readonly context: AudioContext;
  readonly node: AudioWorkletNode;
  readonly source: MediaStreamAudioSourceNode;
}

async function connect(stream: MediaStream, rateHz: number | null): Promise<Graph> {
  const context = new AudioContext(rateHz === null ? {} : { sampleRate: rateHz });
  try {
    const url = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
    try {
      await context.audioWorklet.addModule(url);
    } finally {
      URL.revokeObjectURL(url);
    }
    const source = context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(context, 'voice-kernel-gather', {
      numberOfInputs: 1,
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
      processorOptions: { size: Math.round((FRAME_SAMPLES * context.sampleRate) / RATE_HZ) }
    });
    source.connect(node);
    await context.resume();
    return { context, node, source };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** One recording, from the first sample to the last. */
class Recording {
  readonly utteranceId = randomId();
  private readonly chunker = new Chunker();
  private readonly pieces = new Chunker(FRAME_SAMPLES);
  private readonly resampler: Resampler;
  private readonly batcher: QuietBatcher;
  private sent = 0;
  private started = false;
  /** The key was let go: what follows is sent as it comes. */
  private letGo = false;

  constructor(
    readonly stream: MediaStream,
    private readonly graph: Graph,
    private readonly events: RecorderEvents,
    private readonly handsFree: boolean
  ) {
    this.resampler = new Resampler(graph.context.sampleRate, RATE_HZ);
    this.batcher = new QuietBatcher(handsFree ? QUIET_BATCH : 1);
  }

  /** Resolves when the first samples are here; they are sent from then on. */
  run(): Promise<void> {
    return new Promise(resolve => {
      this.graph.node.port.onmessage = (event: MessageEvent<Float32Array | null>) => {
        if (event.data === null) {
          this.flushed?.();
          return;
        }
        if (!this.started) {
          this.started = true;
          this.events.send({ type: 'audio_start', utterance_id: this.utteranceId, rate_hz: RATE_HZ, hands_free: this.handsFree });
          if (!this.handsFree) {
            this.events.onOpen(this.utteranceId, this.stream);
          }
          resolve();
        }
        this.take(this.resampler.push(event.data));
      };
    });
  }

  /** Tells that the key was let go: whoever had finished by then need not wait for the last samples. */
  released(): void {
    if (this.started && !this.handsFree) {
      this.letGo = true;
      this.chunker.flush().forEach(chunk => this.sendChunk(chunk));
      this.events.send({ type: 'audio_released', utterance_id: this.utteranceId });
    }
  }

  /** Fetches what the worklet still holds, then ends the utterance. */
  async finish(): Promise<void> {
    this.events.onEnd();
    await new Promise<void>(resolve => {
      this.flushed = resolve;
      // A dead audio device never answers.
      setTimeout(resolve, FLUSH_MS);
      this.graph.node.port.postMessage('flush');
    });
    this.graph.node.port.onmessage = null;
    this.take(this.resampler.flush());
    [...this.batcher.flush(), ...this.chunker.flush()].forEach(chunk => this.sendChunk(chunk));
    this.end(false);
  }

  end(discard: boolean): void {
    if (discard) {
      this.events.onDiscard();
    }
    this.release();
    if (this.started) {
      this.started = false;
      this.events.send({
        type: 'audio_end',
        utterance_id: this.utteranceId,
        chunks: this.sent,
        discard
      });
    }
  }

  release(): void {
    this.graph.node.port.onmessage = null;
    this.graph.source.disconnect();
    this.stream.getTracks().forEach(track => track.stop());
    if (this.graph.context.state !== 'closed') {
      void this.graph.context.close();
    }
  }

  private flushed: (() => void) | undefined;

  private take(samples: Float32Array): void {
    // First: what the page does on it, the kernel must know when it gets this piece.
    for (const piece of this.pieces.push(samples)) {
      this.events.onSound(piece);
      this.events.onLevel(loudness(piece));
    }
    for (const chunk of this.chunker.push(samples)) {
      for (const batch of this.batcher.push(chunk, loudness(chunk))) {
        this.sendChunk(batch);
      }
    }
    if (this.letGo) {
      this.chunker.flush().forEach(chunk => this.sendChunk(chunk));
    }
  }

  private sendChunk(chunk: Float32Array): void {
    const seq = this.sent++;
    const buffer = toInt16(chunk).buffer as ArrayBuffer;
    this.events.send({ type: 'audio', utterance_id: this.utteranceId, seq }, [buffer]);
  }
}

export class Recorder {
  private phase: MicrophonePhase = 'idle';
  private recording: Recording | null = null;
  /** What was asked for while the device was still opening. */
  private abandoned: 'stop' | 'discard' | null = null;
  private limit: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly events: RecorderEvents,
    private readonly trans: Translator
  ) {}

  /** Opens the microphone and streams it until `stop` or `discard`; hands-free without a limit. */
  async start(deviceId: string, handsFree = false): Promise<void> {
    if (this.phase !== 'idle') {
      return;
    }
    const blocked = obstacle(this.trans);
    if (blocked) {
      this.events.onProblem(blocked);
      return;
    }
    this.abandoned = null;
    this.enter('starting');
    let stream: MediaStream | null = null;
    try {
      stream = await this.open(deviceId);
      const recording = new Recording(stream, await this.graph(stream), this.events, handsFree);
      if (this.abandoned) {
        recording.release();
        this.enter('idle');
        this.tooSoon();
        return;
      }
      this.recording = recording;
      stream.getAudioTracks()[0]?.addEventListener('ended', () => this.lost(recording));
      await recording.run();
      if (this.recording === recording) {
        if (!handsFree) {
          this.limit = setTimeout(() => this.tooLong(), MAX_RECORDING_MS);
        }
        this.enter('listening');
      }
    } catch (error) {
      // Whatever the browser throws here is told to the person, in words.
      stream?.getTracks().forEach(track => track.stop());
      this.recording = null;
      this.enter('idle');
      this.events.onProblem(problemOf(error, this.trans));
    }
  }

  /** Ends the utterance and has it transcribed. */
  async stop(): Promise<void> {
    if (this.phase === 'starting') {
      this.abandon('stop');
      return;
    }
    const recording = this.recording;
    if (this.phase !== 'listening' || !recording) {
      return;
    }
    clearTimeout(this.limit);
    this.enter('ending');
    recording.released();
    await new Promise(resolve => setTimeout(resolve, POST_ROLL_MS));
    if (this.recording !== recording) {
      return;
    }
    await recording.finish();
    this.recording = null;
    this.enter('idle');
  }

  /** Throws the recording away. */
  discard(): void {
    if (this.phase === 'starting') {
      this.abandon('discard');
      return;
    }
    clearTimeout(this.limit);
    const recording = this.recording;
    this.recording = null;
    recording?.end(true);
    this.enter('idle');
  }

  private abandon(how: 'stop' | 'discard'): void {
    this.abandoned = how;
    if (this.recording) {
      // Open, but without a sample yet: nothing was said to the kernel.
      this.recording.release();
      this.recording = null;
      this.enter('idle');
      this.tooSoon();
    }
  }

  private tooSoon(): void {
    if (this.abandoned === 'stop') {
      this.events.onProblem({
        message: this.trans.__('You let go before the microphone was open.'),
        hint: this.trans.__('It is allowed and ready now: hold until you have finished talking.')
      });
    }
  }

  private async open(deviceId: string): Promise<MediaStream> {
    const audio: MediaTrackConstraints = {
      channelCount: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true
    };
    if (!deviceId) {
      return navigator.mediaDevices.getUserMedia({ audio });
    }
    // `exact`: a silent fall back to another microphone would leave the person talking to the wrong one.
    return navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: deviceId } } });
  }

  private async graph(stream: MediaStream): Promise<Graph> {
    try {
      return await connect(stream, RATE_HZ);
    } catch {
      // Firefox cannot connect a microphone to a context of another rate; pcm.ts converts then.
      return connect(stream, null);
    }
  }

  private lost(recording: Recording): void {
    if (this.recording !== recording) {
      return;
    }
    void this.stop();
    this.events.onProblem({
      message: this.trans.__('The microphone went away while you were talking.'),
      hint: this.trans.__('What was heard until then is used. Check the cable, or choose another microphone.')
    });
  }

  private tooLong(): void {
    void this.stop();
    this.events.onProblem({
      message: this.trans.__('Recording ended after 5 minutes.'),
      hint: this.trans.__('What was heard is used. Start again to go on.')
    });
  }

  private enter(phase: MicrophonePhase): void {
    if (phase !== this.phase) {
      this.phase = phase;
      this.events.onPhase(phase);
    }
  }
}
