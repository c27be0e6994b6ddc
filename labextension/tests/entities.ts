/** Entities as a kernel would send them, for the tests. */
import type { State, Task, Turn } from '../src/messages.gen';

export function aTurn(change: Partial<Turn> = {}): Turn {
  return {
    id: 1, parent_id: null, state: 'running', origin: 'voice', surface_id: '', text: 'run the tests', partial: false, settled: 0, asks: '', engine: '', kept_audio: false,
    route: 'intents', calls: [], closest: [], answer: '', model: '', usage: null, problem: null, created_at: 1, ended_at: null,
    audio_s: null, latency_s: null, ...change
  };
}

export function aTask(change: Partial<Task> = {}): Task {
  return {
    id: 7, turn_id: 1, tool: 'run_tests', arguments: {}, area: 'tests', title: 'run_tests', state: 'running', origin: 'voice',
    created_at: 1, started_at: 1, ended_at: null, queue_position: null, deadline_at: null,
    earlier: false, progress: null, tail: '', output_bytes: 0, log_path: '',
    log_cut_bytes: 0, result: null, problem: null, approval_id: null, client_call: null, ...change
  };
}

export function aState(change: Partial<State> = {}): State {
  return {
    type: 'state', protocol: 1,
    about: {
      version: '1', model: '', model_server: '', model_stays: false, models: [], shell_allowed: false, cwd: '/', warnings: [], notify_after_s: 20,
      language: 'en',
    speak: 'off', voice: 'auto', speech_rate: 1, listen: 'push', earcons: true, wake_phrase: '', audio_kept_in: ''
    },
    speech: { state: 'ready', engine: 'local', message: '', hint: '', mode: 'command', hands_free: false, waiting_for: '', heard: '', chosen: '', sent_to: '', language: 'en', phrases: [] },
    keeping: { state: 'kept', message: '', hint: '', thread: null },
    turns: [], tasks: [], approvals: [], widgets: [], ...change
  };
}
