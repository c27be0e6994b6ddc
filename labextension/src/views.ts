/**
 * Cells in the words of the wire: nbformat in, `CellView` and `Output` out, within caps; and outputs back.
 *
 * Pure. It does not know where cells come from nor who asked for them.
 */
import type { ICell, IMimeBundle, IOutput, MultilineString } from '@jupyterlab/nbformat';
import type { CellView, Output } from './messages.gen';

/** One output may hold this many characters; what is longer keeps its end (streams) or its smaller parts. */
export const MAX_OUTPUT_CHARS = 200_000;
/** All outputs of one reply together: the browser's socket carries 10 MB a message at most. */
const MAX_REPLY_CHARS = 2_000_000;
const MAX_OUTPUTS = 200;

export type Kind = CellView['kind'];

/** What may still be put into a reply; shared by all its cells. */
export class Budget {
  constructor(private left = MAX_REPLY_CHARS) {}

  take(wanted: number): number {
    const granted = Math.min(wanted, this.left);
    this.left -= granted;
    return granted;
  }
}

function textOf(value: MultilineString | undefined): string {
  return Array.isArray(value) ? value.join('') : (value ?? '');
}

/** Terminal text as the wire has it. The end matters most: that is where an error says what it is. */
function clipEnd(text: string, budget: Budget): string {
  const kept = budget.take(Math.min(text.length, MAX_OUTPUT_CHARS));
  return kept < text.length
    ? `[${(text.length - kept).toLocaleString('en')} more characters before this]\n${text.slice(text.length - kept)}`
    : text;
}

/** A mime bundle as text, leaving out its largest parts first, the plain text last. */
function bundleOf(data: Record<string, unknown>, budget: Budget): Record<string, string> {
  const parts = Object.entries(data).map(([mime, value]): [string, string] => [
    mime,
    typeof value === 'string' ? value : isLines(value) ? value.join('') : JSON.stringify(value)
  ]);
  parts.sort(([a, x], [b, y]) => Number(a !== 'text/plain') - Number(b !== 'text/plain') || x.length - y.length);
  const kept: Record<string, string> = {};
  let room = MAX_OUTPUT_CHARS * 10;
  for (const [mime, text] of parts) {
    if (text.length <= room && budget.take(text.length) === text.length) {
      kept[mime] = text;
      room -= text.length;
    }
  }
  return kept;
}

function isLines(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(line => typeof line === 'string');
}

export function outputOf(output: IOutput, budget: Budget): Output | null {
  switch (output.output_type) {
    case 'stream':
      return { kind: 'stream', text: clipEnd(textOf(output['text'] as MultilineString), budget), data: {} };
    case 'error': {
      const lines = output['traceback'] as string[] | undefined;
      const ename = String(output['ename'] ?? '');
      const evalue = String(output['evalue'] ?? '').slice(0, 2_000);
      const text = lines?.length ? lines.join('\n') : `${ename}: ${evalue}`;
      return { kind: 'error', text: clipEnd(text, budget), data: { ename, evalue } };
    }
    case 'display_data':
    case 'execute_result': {
      const kind = output.output_type === 'display_data' ? 'display' : 'result';
      return { kind, text: '', data: bundleOf(output['data'] as Record<string, unknown>, budget) };
    }
    default:
      return null; // what a later nbformat may bring
  }
}

/** An output of the wire as a notebook has it; which of its streams it came from is not known. */
export function nbformatOf({ kind, text, data }: Output): IOutput {
  switch (kind) {
    case 'stream':
      return { output_type: 'stream', name: 'stdout', text };
    case 'error': {
      const { ename = 'Error', evalue = '' } = data;
      return { output_type: 'error', ename, evalue, traceback: text.split('\n') };
    }
    case 'display':
      return { output_type: 'display_data', data: parsed(data), metadata: {} };
    case 'result':
      return { output_type: 'execute_result', execution_count: null, data: parsed(data), metadata: {} };
  }
}

function parsed(data: Record<string, string>): IMimeBundle {
  const entries = Object.entries(data).map(([mime, text]) => [mime, /[/+]json$/.test(mime) ? json(text) : text]);
  return Object.fromEntries(entries) as IMimeBundle;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface Wanted {
  readonly source: boolean;
  readonly outputs: boolean;
}

export function cellView(cell: ICell, wanted: Wanted, budget: Budget): CellView {
  const kind: Kind = cell.cell_type === 'code' || cell.cell_type === 'markdown' ? cell.cell_type : 'raw';
  const outputs = kind === 'code' ? ((cell['outputs'] as IOutput[] | undefined) ?? []) : [];
  return {
    id: String(cell['id'] ?? ''),
    kind,
    source: wanted.source ? textOf(cell.source) : '',
    execution_count: (cell['execution_count'] as number | null | undefined) ?? null,
    failed: outputs.some(output => output.output_type === 'error'),
    outputs: wanted.outputs
      ? outputs.slice(-MAX_OUTPUTS).flatMap(output => outputOf(output, budget) ?? [])
      : []
  };
}
