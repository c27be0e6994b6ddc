/**
 * The little this browser remembers: which microphone, whether to click or to hold, whether to notify.
 *
 * Storage may be off, full or forbidden in a frame; then nothing is remembered and nothing breaks.
 */
const PREFIX = 'voice_kernel.';

export type Preference =
  | 'speak'
  | 'speak_before'
  | 'speak_voice'
  | 'speak_voice_name'
  | 'speak_rate'
  | 'listen'
  | 'earcons'
  | 'microphone' | 'click_only' | 'notify' | 'speak_endings' | 'wrap_log';

export function recall(name: Preference): string {
  try {
    return window.localStorage.getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

export function remember(name: Preference, value: string): void {
  try {
    window.localStorage.setItem(PREFIX + name, value);
  } catch {
    // Said above: not remembered.
  }
}
