/**
 * "Run again with changes": a call's arguments as the fields of a form, and back.
 *
 * Pure. It knows no tool: what a field is follows from the value that was given, and the kernel checks the
 * result like any other call.
 */
import type { Call } from '../messages.gen';
import { ENGLISH, type Translator } from './translation';

export type FieldKind = 'text' | 'long' | 'number' | 'flag' | 'list' | 'json';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** What stands in the field; for a flag `yes` or nothing. */
  readonly value: string;
}

const LONG_CHARS = 60;
const CODE = new Set(['code', 'source', 'command', 'text', 'content']);

function fieldOf(name: string, value: unknown): Field {
  switch (typeof value) {
    case 'boolean':
      return { name, kind: 'flag', value: value ? 'yes' : '' };
    case 'number':
      return { name, kind: 'number', value: String(value) };
    case 'string':
      return { name, kind: CODE.has(name) || value.includes('\n') || value.length > LONG_CHARS ? 'long' : 'text', value };
    default:
      break;
  }
  if (value === null || value === undefined) {
    return { name, kind: 'text', value: '' };
  }
  if (Array.isArray(value) && value.every(each => typeof each === 'string' && !each.includes('\n'))) {
    return { name, kind: 'list', value: value.join('\n') };
  }
  return { name, kind: 'json', value: JSON.stringify(value, null, 2) };
}

export function fieldsOf(call: Pick<Call, 'arguments'>): Field[] {
  return Object.entries(call.arguments).map(([name, value]) => fieldOf(name, value));
}

export interface Filled {
  readonly arguments: Call['arguments'];
  /** By field: why its text does not fit. */
  readonly errors: ReadonlyMap<string, string>;
}

/** Reads a form. A field that was empty and stays so keeps its value, be it null or an empty text. */
export function argumentsOf(
  fields: readonly Field[],
  original: Pick<Call, 'arguments'>,
  trans: Translator = ENGLISH
): Filled {
  const filled: Record<string, unknown> = {};
  const errors = new Map<string, string>();
  for (const { name, kind, value } of fields) {
    const was = original.arguments[name];
    switch (kind) {
      case 'flag':
        filled[name] = value === 'yes';
        break;
      case 'number': {
        const read = Number(value.trim());
        if (value.trim() === '' || !Number.isFinite(read)) {
          errors.set(name, trans.__('A number, please.'));
        }
        filled[name] = read;
        break;
      }
      case 'list':
        filled[name] = value.split('\n').map(line => line.trim()).filter(Boolean);
        break;
      case 'json':
        try {
          filled[name] = JSON.parse(value);
        } catch {
          errors.set(name, trans.__('This is not valid JSON.'));
        }
        break;
      case 'text':
      case 'long':
        filled[name] = value === '' ? (was ?? null) === null ? null : '' : value;
        break;
    }
  }
  return { arguments: filled, errors };
}
