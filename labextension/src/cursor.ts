/**
 * Where the person's cursor is: in the cell that they edited last, for as long as that cell stays active.
 *
 * The focus goes to the panel, or to a button, before a word is said; the notebook then leaves edit mode and
 * no longer tells a cursor that a person has put somewhere from one that stands at the start by itself.
 */
import type { Cell, MarkdownCell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { Cursor } from './messages.gen';
import { characters, units } from './text';

export class PersonsCursor {
  /** Id of the cell that holds it; empty when a person has put it nowhere. */
  private cell = '';

  constructor(private readonly notebook: Notebook) {
    notebook.stateChanged.connect(this.look);
    notebook.activeCellChanged.connect(this.look);
    this.look();
  }

  /** Returns the place, in the active cell, or null when it is nowhere there. */
  where(): Cursor | null {
    const cell = this.notebook.activeCell;
    if (!cell?.editor || cell.model.id !== this.cell || isRendered(cell)) {
      return null;
    }
    const { line, column } = cell.editor.getCursorPosition();
    return { line: line + 1, column: characters(cell.editor.getLine(line) ?? '', column) };
  }

  /** Puts it into the active cell; another cell's own cursor is left alone. */
  put(cell: Cell, { line, column }: Cursor): void {
    const { editor } = cell;
    if (editor && cell === this.notebook.activeCell) {
      const at = Math.max(0, Math.min(line, editor.lineCount) - 1);
      editor.setCursorPosition({ line: at, column: units(editor.getLine(at) ?? '', column) });
      this.cell = cell.model.id;
    }
  }

  /** Nobody has put it anywhere: another cell was chosen. */
  forget(): void {
    this.cell = '';
  }

  private readonly look = (): void => {
    const active = this.notebook.activeCell?.model.id ?? '';
    if (this.notebook.mode === 'edit') {
      this.cell = active;
    } else if (active !== this.cell) {
      this.cell = '';
    }
  };
}

function isRendered(cell: Cell): boolean {
  return cell.model.type === 'markdown' && (cell as MarkdownCell).rendered;
}
