/**
 * Does in the notebook what the kernel asks for, through the front end's own model.
 *
 * Responsible for answering every `CellRequest` for one notebook: cells keep their ids, metadata and
 * attachments, and what changes is recorded for undo. It does not know how requests arrive, what was said,
 * or which of the actions are allowed: that was decided in the kernel.
 */
import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { ICell, INotebookContent } from '@jupyterlab/nbformat';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { ISessionContextDialogs } from '@jupyterlab/apputils';
import type { SharedCell } from '@jupyter/ydoc';
import type { CommandRegistry } from '@lumino/commands';
import { find, plain } from './command';
import { PersonsCursor } from './cursor';
import type { CellReply, CellRequest, CellView, NotebookView, Problem } from './messages.gen';
import { randomId } from './panel/connection';
import type { Translator } from './panel/translation';
import { NestedOutputs } from './nested';
import type { Item, Shelf } from './shelf';
import { difference } from './text';
import { type Hands, History, type Outcome, type Step, idsOf } from './undo';
import { Budget, cellView } from './views';

/** A command may wait for a person (a dialog) or for the kernel that waits for us: it is not waited for longer. */
const COMMAND_MS = 1_500;
/** Lets the answer reach the kernel, and the kernel finish with it, before it is gone. */
const BEFORE_RESTART_MS = 300;
const MAX_SNAPSHOTS = 10;
const OPEN = 'docmanager:open';

type Action = CellRequest['request'];
type ActionOf<Name extends Action['action']> = Extract<Action, { action: Name }>;

/** What of a document that was opened is needed: a text editor has it all, an image viewer no editor. */
interface OpenedDocument {
  readonly context: { readonly ready: Promise<void> };
  readonly content: { readonly ready?: Promise<void>; readonly editor?: NonNullable<Cell['editor']> | null };
}

/** What the notebook lives in. */
export interface Surroundings {
  readonly commands: CommandRegistry;
  readonly dialogs: ISessionContextDialogs | undefined;
  readonly shelf: Shelf;
  readonly trans: Translator;
  /** The shortcut for talking, as a person reads it; empty when there is none. */
  talkKeys(): string;
  /** Says a line to screen readers. */
  announce(text: string): void;
  /** Brings the notebook to the front. */
  activate(panel: NotebookPanel): void;
}

class Refusal extends Error {
  constructor(
    readonly kind: string,
    message: string,
    readonly hint = ''
  ) {
    super(message);
  }
}

export class NotebookHost {
  private readonly history: History;
  private readonly nested = new NestedOutputs();
  private readonly cursor: PersonsCursor;
  private readonly cancelled = new Set<number>();
  private readonly running = new Set<number>();
  /** Steps are numbered by the session in the kernel: another session begins again at 1. */
  private session = randomId();
  private saving: Promise<unknown> | null = null;
  private unsaved = false;
  /** Changes once the steps of before the last reload are back. */
  readonly ready: Promise<void>;

  constructor(
    readonly panel: NotebookPanel,
    private readonly around: Surroundings
  ) {
    this.history = new History(() => this.keepHistory());
    this.cursor = new PersonsCursor(panel.content);
    this.ready = this.recallHistory();
  }

  /** Another kernel session asks from now on. */
  renew(): void {
    this.session = randomId();
    this.nested.stop();
    this.cancelled.clear();
  }

  dispose(): void {
    this.nested.stop();
    this.wakers.forEach(look => look());
  }

  async answer({ id, step, request }: CellRequest): Promise<CellReply> {
    const reply: CellReply = { type: 'cell_reply', id, problem: null, notebook: null, cells: [], text: '', ran: true };
    this.running.add(id);
    try {
      if (this.panel.isDisposed || !this.panel.content.model) {
        throw new Refusal('NoNotebook', this.trans.__('The notebook is closed.'));
      }
      return { ...reply, ...(await this.perform(request, step, id)) };
    } catch (error) {
      return { ...reply, problem: problemOf(error) };
    } finally {
      this.running.delete(id);
      this.cancelled.delete(id);
    }
  }

  /** Gives a request up: cells that wait are not run, the one that runs is interrupted. */
  cancel(id: number): void {
    if (this.running.has(id)) {
      this.cancelled.add(id);
      this.wakers.get(id)?.();
      void this.interruptRun(id);
    }
  }

  undo(): Outcome | null {
    return this.history.undo(this.shared, this.hands);
  }

  redo(): Outcome | null {
    return this.history.redo(this.shared, this.hands);
  }

  // ---- snapshots ----------------------------------------------------------------------------------

  async snapshot(): Promise<string> {
    const { path } = this.panel.context;
    const { shelf } = this.around;
    const at = Date.now();
    const kept = await shelf.put('snapshots', path, String(at), JSON.stringify(this.shared.toJSON()), at);
    if (!kept) {
      throw new Refusal(
        'NotKept',
        this.trans.__('The browser keeps no snapshots.'),
        this.trans.__('Its storage is full or switched off. Undo still works until the page is reloaded.')
      );
    }
    for (const old of (await shelf.list('snapshots', path)).slice(MAX_SNAPSHOTS)) {
      await shelf.remove('snapshots', old);
    }
    return `${path}@${new Date(at).toISOString()}`;
  }

  snapshots(): Promise<Item<string>[]> {
    return this.around.shelf.list<string>('snapshots', this.panel.context.path);
  }

  restore(snapshot: Item<string>): Outcome {
    const content = JSON.parse(snapshot.value) as INotebookContent;
    return this.history.replace(`restore:${Date.now()}`, this.shared, content.cells, this.hands);
  }

  // ---- actions ------------------------------------------------------------------------------------

  private async perform(request: Action, step: number, id: number): Promise<Partial<CellReply>> {
    switch (request.action) {
      case 'read':
        return { notebook: this.read(request) };
      case 'run':
        return this.run(request, step, id);
      case 'outputs':
        return this.showOutputs(request, step);
      case 'insert':
        return this.insert(request, step);
      case 'edit':
        return this.edit(request, step);
      case 'delete':
        return this.delete(request, step);
      case 'move':
        return this.moveCells(request, step);
      case 'kind':
        return this.changeKind(request, step);
      case 'clear':
        return this.clear(request, step);
      case 'select':
        return this.select(request);
      case 'undo':
      case 'redo':
        await this.ready;
        return this.takeBack(request.action);
      case 'save':
        await this.panel.context.save();
        this.announce(this.trans.__('Saved'));
        return { text: this.panel.context.path };
      case 'restart':
        return this.restart(request);
      case 'command':
        return this.command(request, step);
      case 'open':
        return this.open(request);
      case 'snapshot':
        return { text: await this.snapshot() };
    }
  }

  private read({ sources, outputs, cells }: ActionOf<'read'>): NotebookView {
    const wanted = new Set(cells);
    const budget = new Budget();
    return {
      path: this.panel.context.path,
      cells: this.shared.cells.map(cell => {
        const detail = wanted.size === 0 || wanted.has(cell.getId());
        return cellView(
          cell.toJSON() as ICell,
          { source: sources && detail, outputs: outputs && detail },
          budget
        );
      }),
      active: this.notebook.activeCellIndex,
      cursor: this.cursor.where(),
      calling: this.calling(),
      shared: this.panel.context.model.collaborative ?? false
    };
  }

  private async run({ cells }: ActionOf<'run'>, step: number, id: number): Promise<Partial<CellReply>> {
    const found = this.find(cells);
    const { sessionContext } = this.panel;
    if (!sessionContext.session?.kernel) {
      throw new Refusal('NoKernel', this.trans.__('The notebook has no kernel.'));
    }
    this.show(found[0]);
    await this.kernelFree(id);
    if (this.cancelled.has(id)) {
      throw new Refusal('Cancelled', this.trans.__('Cancelled.'));
    }
    const alive = found.filter(cell => !cell.isDisposed);
    const recording = this.begin(step, cells, false);
    this.runs.set(id, alive);
    try {
      await NotebookActions.runCells(this.notebook, alive, sessionContext, this.around.dialogs);
    } finally {
      this.runs.delete(id);
      recording?.finish();
    }
    const views = this.viewsOf(cells, true);
    const failed = views.find(view => view.failed);
    const last = failed ?? views[views.length - 1];
    if (last && found.length > 1) {
      this.show(this.find([last.id])[0]);
    }
    this.announceCells(
      cells,
      failed
        ? this.trans.__('Cell %1 failed', this.position(failed.id))
        : this.trans._n('Ran cell %2', 'Ran %1 cells', cells.length, this.position(cells[0]!))
    );
    return { cells: views };
  }

  /**
   * Waits until no cell of this page runs or is waiting to: what waits in the kernel's own queue cannot be
   * taken back, and to interrupt it would hit the cell in front of it.
   */
  private async kernelFree(id: number): Promise<void> {
    for (;;) {
      const cell = this.notebook.widgets.find(isExecuting);
      if (!cell || this.cancelled.has(id) || this.panel.isDisposed) {
        return;
      }
      await this.changeOf(cell, id);
    }
  }

  /** Waits until a cell's state changes, or a request is given up. */
  private changeOf(cell: Cell, id: number): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        cell.model?.stateChanged.disconnect(look);
        cell.disposed.disconnect(look);
        this.wakers.delete(id);
        resolve();
      };
      cell.model.stateChanged.connect(look);
      cell.disposed.connect(look);
      this.wakers.set(id, look);
    });
  }

  private async showOutputs(
    { cell: id, parent_msg_id: parent, execution_count, done, outputs }: ActionOf<'outputs'>,
    step: number
  ): Promise<Partial<CellReply>> {
    const cell = this.find([id])[0]!;
    const kernel = this.panel.sessionContext.session?.kernel;
    if (cell.model.type !== 'code' || !kernel) {
      throw new Refusal('NoSuchCell', this.trans.__('This cell cannot show outputs.'));
    }
    // What began before this page was loaded is a step of the page before it.
    const recording = done && !this.nested.began(parent) ? null : this.begin(step, [id], false);
    try {
      if (done) {
        this.nested.finish(parent, execution_count, outputs);
      } else {
        // Without a step it is no new run: this page was not there when it began.
        this.nested.start(kernel, parent, cell as CodeCell, step === 0, outputs);
        this.show(cell);
      }
    } finally {
      recording?.finish();
    }
    return { cells: this.viewsOf([id], done) };
  }

  private insert({ index, kinds, sources }: ActionOf<'insert'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    const at = Math.max(0, Math.min(index, this.shared.cells.length));
    const fresh = kinds.map((kind, i): SharedCell.Cell => ({
      cell_type: kind,
      source: sources[i] ?? '',
      // Typed by nobody but asked for by the person: its outputs are trusted like those of any new cell.
      metadata: kind === 'code' ? { trusted: true } : {}
    }));
    const ids = this.change(step, [], () =>
      this.shared.insertCells(at, fresh).map(cell => cell.getId())
    );
    this.notebook.activeCellIndex = at + ids.length - 1;
    this.notebook.deselectAll();
    this.show(this.notebook.widgets[at]);
    this.announce(this.trans._n('Inserted cell %2', 'Inserted %1 cells', ids.length, at + 1));
    return { cells: this.viewsOf(ids, false) };
  }

  private edit({ cell: id, source, expected, cursor }: ActionOf<'edit'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    const cell = this.find([id])[0]!;
    this.refuseLocked([cell], 'editable');
    const shared = cell.model.sharedModel;
    const now = shared.getSource();
    if (expected !== null && now !== expected) {
      throw new Refusal(
        'Conflict',
        this.trans.__('Cell %1 was changed in the meantime.', this.position(id)),
        this.trans.__('Say it again, now that the cell reads differently.')
      );
    }
    this.change(step, [id], () => {
      // Only what differs is replaced: cursors stay, here and at collaborators.
      const { start, end, text } = difference(now, source);
      shared.updateSource(start, end, text);
    });
    if (cursor) {
      this.cursor.put(cell, cursor);
    }
    this.show(cell);
    this.announce(this.trans.__('Cell %1 edited', this.position(id)));
    return { cells: this.viewsOf([id], false) };
  }

  private delete({ cells }: ActionOf<'delete'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    const found = this.find(cells);
    this.refuseLocked(found, 'deletable');
    const views = this.viewsOf(cells, false);
    const doomed = new Set(cells);
    const active = this.notebook.activeCell?.model.id ?? '';
    const first = this.notebook.widgets.indexOf(found[0]!);
    this.change(step, cells, () => {
      const order = idsOf(this.shared);
      this.shared.transact(() => {
        let end = order.length;
        while (end > 0) {
          // A run of cells goes at once, from the end on, so that the places before it stay what they are.
          let start = end;
          while (start > 0 && doomed.has(order[start - 1]!)) {
            start--;
          }
          if (start < end) {
            this.shared.deleteCellRange(start, end);
          }
          end = start - 1;
        }
        if (order.every(id => doomed.has(id))) {
          // As JupyterLab does; here, so that undo takes it away again.
          this.shared.insertCell(0, { cell_type: 'code', source: '', metadata: { trusted: true } });
        }
      });
    });
    if (doomed.has(active)) {
      this.notebook.activeCellIndex = Math.min(first, this.notebook.widgets.length - 1);
    }
    this.notebook.deselectAll();
    this.show(this.notebook.widgets[Math.min(first, this.notebook.widgets.length - 1)]);
    this.announce(this.trans._n('Deleted cell %2', 'Deleted %1 cells', cells.length, first + 1));
    return { cells: views };
  }

  private moveCells({ cells, index }: ActionOf<'move'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    this.find(cells);
    const active = this.notebook.activeCell?.model.id;
    this.change(step, cells, () => {
      const order = idsOf(this.shared);
      const moving = new Set(cells);
      const block = order.filter(id => moving.has(id));
      const rest = order.filter(id => !moving.has(id));
      const at = Math.max(0, Math.min(index, rest.length));
      const from = order.indexOf(block[0]!);
      if (order[from + block.length - 1] === block[block.length - 1]) {
        this.notebook.moveCell(from, from > at ? at : at + block.length - 1, block.length);
        return;
      }
      // Upwards the first goes first, downwards the last: so none pushes another from its place.
      for (const id of from >= at ? block : [...block].reverse()) {
        this.hands.move(idsOf(this.shared).indexOf(id), at + block.indexOf(id));
      }
    });
    const place = active === undefined ? -1 : idsOf(this.shared).indexOf(active);
    if (place >= 0) {
      this.notebook.activeCellIndex = place;
    }
    this.show(this.find(cells)[0]);
    this.announceCells(
      cells,
      this.trans._n('Moved cell to %2', 'Moved %1 cells to %2', cells.length, this.position(cells[0]!))
    );
    return { cells: this.viewsOf(cells, false) };
  }

  private changeKind({ cells, kind }: ActionOf<'kind'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    this.refuseLocked(this.find(cells), 'editable');
    const active = this.notebook.activeCellIndex;
    const changing = new Set(cells);
    this.change(step, cells, () => {
      this.shared.transact(() => {
        this.shared.cells.forEach((cell, i) => {
          if (!changing.has(cell.getId()) || cell.cell_type === kind) {
            return;
          }
          const { id, source, metadata, attachments } = cell.toJSON() as ICell;
          const { trusted: _, ...kept } = metadata;
          this.shared.deleteCell(i);
          this.shared.insertCell(i, {
            id,
            cell_type: kind,
            source,
            // Only code has outputs to trust or not, and only the others have attachments.
            metadata: kind === 'code' ? { ...kept, trusted: true } : kept,
            ...(kind !== 'code' && attachments ? { attachments } : {})
          } as SharedCell.Cell);
        });
      });
    });
    this.notebook.activeCellIndex = active;
    this.show(this.find(cells)[0]);
    this.announceCells(cells, this.trans.__('Cell %1 is %2 now', this.position(cells[0]!), kind));
    return { cells: this.viewsOf(cells, false) };
  }

  private clear({ cells }: ActionOf<'clear'>, step: number): Partial<CellReply> {
    this.refuseReadOnly();
    const found = this.find(cells);
    this.change(step, cells, () => {
      for (const cell of found) {
        if (cell.model.type === 'code') {
          const code = cell as CodeCell;
          code.model.sharedModel.transact(() => {
            code.model.clearExecution();
            code.outputHidden = false;
          }, false);
        }
      }
    });
    this.announceCells(cells, this.trans._n('Outputs cleared', 'Outputs of %1 cells cleared', cells.length));
    return { cells: this.viewsOf(cells, false) };
  }

  private async select({ cell: id, line }: ActionOf<'select'>): Promise<Partial<CellReply>> {
    const cell = this.find([id])[0]!;
    this.around.activate(this.panel);
    this.selectCell(cell);
    if (line !== null) {
      if (cell.model.type === 'markdown') {
        (cell as Cell & { rendered: boolean }).rendered = false;
      }
      await cell.ready;
      this.notebook.mode = 'edit';
      this.cursor.put(cell, { line, column: Infinity });
      cell.editor?.focus();
    }
    const position = this.position(id);
    this.announce(
      line === null
        ? this.trans.__('Cell %1', position)
        : this.trans.__('Cell %1, line %2', position, line)
    );
    return { cells: this.viewsOf([id], false) };
  }

  /** Makes a cell the active one and shows it; focus stays where the person put it. */
  selectCell(cell: Cell): void {
    this.notebook.deselectAll();
    this.notebook.mode = 'command';
    this.notebook.activeCellIndex = this.notebook.widgets.indexOf(cell);
    this.cursor.forget();
    this.show(cell);
  }

  /** Follows a link to a cell; returns whether there is such a cell. */
  reveal(id: string): boolean {
    const cell = this.notebook.widgets.find(widget => widget.model.id === id);
    if (cell) {
      this.around.activate(this.panel);
      this.selectCell(cell);
    }
    return cell !== undefined;
  }

  private takeBack(action: 'undo' | 'redo'): Partial<CellReply> {
    this.refuseReadOnly();
    const outcome = action === 'undo' ? this.undo() : this.redo();
    if (!outcome) {
      throw action === 'undo'
        ? new Refusal('NothingToUndo', this.trans.__('There is no voice action to undo.'))
        : new Refusal('NothingToRedo', this.trans.__('There is no voice action to do again.'));
    }
    if (outcome.kept > 0 && outcome.changed.length === 0) {
      throw new Refusal(
        'Conflict',
        this.trans.__('The cells were edited since; they are left as they are.'),
        this.trans.__('Use Edit, Undo for what you typed first.')
      );
    }
    this.announceOutcome(action, outcome);
    return { cells: this.viewsOf(outcome.changed, false), text: String(outcome.changed.length) };
  }

  announceOutcome(action: 'undo' | 'redo' | 'restore', { changed, kept }: Outcome): void {
    const there = this.notebook.widgets.find(widget => changed.includes(widget.model.id));
    this.show(there);
    const what = {
      undo: this.trans._n('Undone: %1 cell', 'Undone: %1 cells', changed.length),
      redo: this.trans._n('Done again: %1 cell', 'Done again: %1 cells', changed.length),
      restore: this.trans._n('Restored: %1 cell', 'Restored: %1 cells', changed.length)
    }[action];
    const rest = this.trans._n('%1 was edited since and stays', '%1 were edited since and stay', kept);
    this.announce(kept > 0 ? `${what}; ${rest}` : what);
  }

  private restart({ run_all }: ActionOf<'restart'>): Partial<CellReply> {
    const { sessionContext } = this.panel;
    if (!sessionContext.session?.kernel) {
      throw new Refusal('NoKernel', this.trans.__('The notebook has no kernel.'));
    }
    setTimeout(() => void this.restartNow(run_all), BEFORE_RESTART_MS);
    return {};
  }

  private async restartNow(runAll: boolean): Promise<void> {
    const { sessionContext } = this.panel;
    this.announce(this.trans.__('Restarting the kernel'));
    await sessionContext.restartKernel();
    this.announce(this.trans.__('The kernel has restarted'));
    if (runAll && !this.panel.isDisposed) {
      await NotebookActions.runAll(this.notebook, sessionContext, this.around.dialogs);
    }
  }

  private async command({ label, exact }: ActionOf<'command'>, step: number): Promise<Partial<CellReply>> {
    // Commands act on the notebook in front.
    this.around.activate(this.panel);
    const { commands } = this.around;
    const named = commands.listCommands().flatMap(id => {
      const text = safely(() => commands.label(id), '');
      return text && safely(() => commands.isVisible(id), false)
        ? [{ id, label: text, enabled: safely(() => commands.isEnabled(id), false) }]
        : [];
    });
    const found = find(label, named);
    if (!('command' in found)) {
      throw new Refusal(
        'UnknownCommand',
        this.trans.__('There is no command “%1”.', label),
        found.closest.length > 0 ? this.trans.__('Closest: %1.', found.closest.join('; ')) : ''
      );
    }
    if (exact && plain(found.command.label) !== plain(label)) {
      return { text: found.command.label, ran: false };
    }
    const { id, enabled } = found.command;
    if (!enabled) {
      throw new Refusal(
        'CommandDisabled',
        this.trans.__('“%1” cannot be used right now.', found.command.label)
      );
    }
    const recording = this.begin(step, idsOf(this.shared), true);
    let failure: unknown;
    try {
      const ended = commands.execute(id).catch((error: unknown) => {
        failure = error;
      });
      await Promise.race([ended, new Promise(resolve => setTimeout(resolve, COMMAND_MS))]);
    } finally {
      if (!this.panel.isDisposed) {
        recording?.finish();
      }
    }
    if (failure !== undefined) {
      throw new Refusal('CommandFailed', String(failure));
    }
    this.announce(found.command.label);
    return { text: found.command.label };
  }

  /** Shows a file in an editor, with the cursor in a line. */
  private async open({ path, line }: ActionOf<'open'>): Promise<Partial<CellReply>> {
    const { commands } = this.around;
    const full = beside(this.panel.context.path, path);
    if (full === null) {
      throw new Refusal(
        'OutsideOfRoot',
        this.trans.__('The file is outside of the folder that Jupyter shows.'),
        this.trans.__('Start Jupyter in a folder above it.')
      );
    }
    if (!commands.hasCommand(OPEN)) {
      throw new Refusal('NoEditor', this.trans.__('Files cannot be opened here.'));
    }
    // Notebook 7 shows it in a tab of its own and gives nothing back.
    const opened: unknown = await commands.execute(OPEN, { path: full, factory: 'Editor' });
    const document = opened as Partial<OpenedDocument> | undefined;
    await Promise.all([document?.context?.ready, document?.content?.ready]);
    const editor = document?.content?.editor;
    if (editor) {
      const position = { line: Math.min(line, editor.lineCount) - 1, column: 0 };
      editor.setCursorPosition(position);
      editor.revealPosition(position);
      editor.focus();
    }
    this.announce(this.trans.__('Opened %1, line %2', full, line));
    return { text: full };
  }

  // ---- inside -------------------------------------------------------------------------------------

  private readonly runs = new Map<number, readonly Cell[]>();
  /** Of requests that wait for the kernel: what makes them look again. */
  private readonly wakers = new Map<number, () => void>();

  private get trans(): Translator {
    return this.around.trans;
  }

  private get notebook(): NotebookPanel['content'] {
    return this.panel.content;
  }

  private get shared() {
    return this.notebook.model!.sharedModel;
  }

  /** The widget's own way keeps what only the screen knows: whether Markdown is rendered. */
  private readonly hands: Hands = {
    move: (from, to) => this.notebook.moveCell(from, to),
    // Set in the shared model, outputs would be added to those that the cell shows.
    setOutputs: (id, outputs) => (this.find([id])[0] as CodeCell).model.outputs.fromJSON([...outputs])
  };

  private begin(step: number, touched: readonly string[], structure: boolean) {
    return step === 0
      ? null
      : this.history.begin(`${this.session}:${step}`, this.shared, touched, structure);
  }

  private change<T>(step: number, touched: readonly string[], act: () => T): T {
    const recording = this.begin(step, touched, true);
    try {
      return act();
    } finally {
      recording?.finish();
    }
  }

  private find(ids: readonly string[]): Cell[] {
    const widgets = new Map(this.notebook.widgets.map(widget => [widget.model.id, widget]));
    return ids.map(id => {
      const cell = widgets.get(id);
      if (!cell) {
        throw new Refusal(
          'NoSuchCell',
          this.trans.__('The cell is not in the notebook any more.'),
          this.trans.__('Say it again: positions may have changed.')
        );
      }
      return cell;
    });
  }

  private viewsOf(ids: readonly string[], outputs: boolean): CellView[] {
    const wanted = new Set(ids);
    const budget = new Budget();
    return this.shared.cells
      .filter(cell => wanted.has(cell.getId()))
      .map(cell => cellView(cell.toJSON() as ICell, { source: true, outputs }, budget));
  }

  private position(id: string): number {
    return idsOf(this.shared).indexOf(id) + 1;
  }

  /** The cell that the kernel executes now: of those that wait for it, the one asked first. */
  private calling(): string {
    return this.notebook.widgets.find(cell => isRunning(cell))?.model.id ?? '';
  }

  /** One interrupt ends the cell that runs, and with it those behind it, unless the cell catches it. */
  private async interruptRun(id: number): Promise<void> {
    for (;;) {
      const cell = this.runs.get(id)?.find(isExecuting);
      const kernel = this.panel.sessionContext.session?.kernel;
      if (!cell || !kernel) {
        return;
      }
      await kernel.interrupt();
      while (isExecuting(cell) && !this.panel.isDisposed) {
        await this.changeOf(cell, id);
      }
    }
  }

  private refuseReadOnly(): void {
    if (this.panel.context.model.readOnly) {
      throw new Refusal('ReadOnly', this.trans.__('The notebook is read-only.'));
    }
  }

  private refuseLocked(cells: readonly Cell[], right: 'editable' | 'deletable'): void {
    const locked = cells.find(cell => cell.model.getMetadata(right) === false);
    if (locked) {
      throw new Refusal(
        'Locked',
        right === 'editable'
          ? this.trans.__('Cell %1 is locked against editing.', this.position(locked.model.id))
          : this.trans.__('Cell %1 is locked against deleting.', this.position(locked.model.id))
      );
    }
  }

  private show(cell: Cell | undefined): void {
    const index = cell ? this.notebook.widgets.indexOf(cell) : -1;
    if (index >= 0) {
      // It rejects when another scroll begins before it has ended.
      this.notebook.scrollToItem(index, 'smart').catch(() => undefined);
    }
  }

  private announce(text: string): void {
    this.around.announce(text);
  }

  private announceCells(cells: readonly string[], text: string): void {
    if (cells.length > 0) {
      this.announce(text);
    }
  }

  /** Stores the steps at once, since a page may go at any time; changes meanwhile are stored after. */
  private keepHistory(): void {
    this.unsaved = true;
    this.saving ??= this.saveHistory().finally(() => {
      this.saving = null;
    });
  }

  private async saveHistory(): Promise<void> {
    await this.ready;
    while (this.unsaved) {
      this.unsaved = false;
      await this.around.shelf.put('undo', this.panel.context.path, 'steps', this.history.state);
    }
  }

  private async recallHistory(): Promise<void> {
    const state = await this.around.shelf.get<{ done: Step[]; undone: Step[] }>(
      'undo',
      this.panel.context.path,
      'steps'
    );
    if (state) {
      this.history.restore(state);
    }
  }
}

/** A path beside a document, from the root of the files; null when it is not below that. */
function beside(document: string, relative: string): string | null {
  // A drive of JupyterLab's (`RTC:`) stands before the path and is part of its first folder.
  const parts = document.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) {
        return null;
      }
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
  }
  const drive = /^[^/]+:/.exec(document)?.[0] ?? '';
  return parts.length > 0 && parts[0]!.startsWith(drive) ? parts.join('/') : drive + parts.join('/');
}

/** Whether this page has asked the kernel for a cell and not heard the end of it. */
function isExecuting(cell: Cell): boolean {
  return isRunning(cell) && (cell as CodeCell).outputArea.future?.isDisposed === false;
}

function isRunning(cell: Cell): boolean {
  return cell.model.type === 'code' && (cell as CodeCell).model.executionState === 'running';
}

function problemOf(error: unknown): Problem {
  return error instanceof Refusal
    ? { kind: error.kind, message: error.message, hint: error.hint, retryable: false }
    : {
        kind: 'FrontEndError',
        message: error instanceof Error ? error.message : String(error),
        hint: '',
        retryable: false
      };
}

/** A command's label or state is computed by whoever made it, and may throw where it makes no sense. */
function safely<T>(compute: () => T, otherwise: T): T {
  try {
    return compute();
  } catch {
    return otherwise;
  }
}
