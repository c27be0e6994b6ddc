/**
 * What the fields of a form hold, as JSON: names with dots become objects within objects.
 *
 * Responsible for reading fields out of the page. It does not know components.
 */

/** A value of a form: texts, numbers, yes or no, and what is nested by name. */
export type Values = { [name: string]: unknown };

const MAX_FIELDS = 500;
const MAX_NESTING = 8;
/** Names that would reach into what every object shares. */
const UNSAFE = ['__proto__', 'constructor', 'prototype'];

/** Whether a field's name can be sent: `seat`, `address.city`. */
function partsOf(name: string): readonly string[] | null {
  const parts = name.split('.');
  return parts.length <= MAX_NESTING && parts.every(part => part !== '' && !UNSAFE.includes(part)) ? parts : null;
}

/** Puts a value where its name says. A second value of a name makes a list of them. */
export function put(values: Values, name: string, value: unknown, again = false): void {
  const parts = partsOf(name);
  if (!parts) {
    return;
  }
  let at = values;
  for (const part of parts.slice(0, -1)) {
    const next = at[part];
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) {
      at = next as Values;
    } else {
      at = at[part] = {};
    }
  }
  const last = parts.at(-1) ?? '';
  const old = at[last];
  at[last] = again && old !== undefined ? (Array.isArray(old) ? [...(old as unknown[]), value] : [old, value]) : value;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement | HTMLButtonElement;

function valueOf(field: Field): unknown {
  if (field instanceof HTMLInputElement) {
    if (field.type === 'checkbox') {
      return field.checked;
    }
    if (field.type === 'number') {
      return field.value === '' || Number.isNaN(Number(field.value)) ? null : Number(field.value);
    }
  }
  return field.value;
}

/** What the fields within an element hold. A group of radio buttons without a choice holds null. */
export function valuesOf(element: Element): Values {
  const values: Values = {};
  const seen = new Set<string>();
  const choices = new Map<string, string | null>();
  for (const field of [...element.querySelectorAll<Field>('[data-vk-field]')].slice(0, MAX_FIELDS)) {
    const name = field.dataset['vkField'] ?? '';
    if (field.matches(':disabled')) {
      continue;
    }
    if (field.type === 'radio') {
      choices.set(name, (field as HTMLInputElement).checked ? field.value : (choices.get(name) ?? null));
    } else {
      put(values, name, valueOf(field), seen.has(name));
      seen.add(name);
    }
  }
  choices.forEach((value, name) => put(values, name, value));
  return values;
}
