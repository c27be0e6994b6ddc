/**
 * What is wrong with a field, below it: the browser's own checks and words, shown in the page.
 *
 * Responsible for the message of one field. It does not know when a form is submitted.
 */
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { useHost } from './scope';

export type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const MAX_PATTERN = 300;

/** The pattern, if it is one: as the browser takes it, for the whole of the text. */
export function patternOf(source: string): RegExp | null {
  if (!source || source.length > MAX_PATTERN) {
    return null;
  }
  try {
    return new RegExp(`^(?:${source})$`, 'v');
  } catch {
    // Not a pattern: as in HTML, it then asks for nothing.
    return null;
  }
}

export interface Validity {
  /** The message, to stand below the field. */
  readonly problem: ComponentChild;
  readonly handlers: {
    readonly onInvalid: (event: Event) => void;
    readonly onInput: (event: Event) => void;
    readonly onBlur: (event: Event) => void;
    readonly 'aria-invalid': 'true' | undefined;
    readonly 'aria-describedby': string | undefined;
  };
}

/** @param pattern checked here for what has no pattern of its own: a text of several lines. */
export function useValidity(ref: { readonly current: Field | null }, id: string, pattern = ''): Validity {
  const { trans } = useHost();
  const [message, setMessage] = useState('');
  const expression = patternOf(pattern);
  const check = (field: Field): void => {
    if (expression) {
      const fine = field.value === '' || expression.test(field.value);
      field.setCustomValidity(fine ? '' : trans.__('This is not in the form that is asked for.'));
    }
    if (message && field.validity.valid) {
      setMessage('');
    }
  };
  const messageId = `${id}-problem`;
  return {
    problem: message && (
      <span class="vk-w-invalid" id={messageId} role="alert">
        {message}
      </span>
    ),
    handlers: {
      onInvalid: event => {
        // Instead of the browser's bubble, which goes away by itself.
        event.preventDefault();
        setMessage((event.currentTarget as Field).validationMessage || trans.__('This is needed.'));
      },
      onInput: event => check(event.currentTarget as Field),
      onBlur: () => {
        if (ref.current) {
          check(ref.current);
        }
      },
      'aria-invalid': message ? 'true' : undefined,
      'aria-describedby': message ? messageId : undefined
    }
  };
}
