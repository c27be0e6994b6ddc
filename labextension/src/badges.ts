/**
 * The numbers beside the cells, by which a person addresses them.
 *
 * Responsible for keeping `data-vk-position` of every cell in step with its place; the style sheet draws it.
 * It does not know when numbers are wanted: whoever does calls `show`.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';

const SHOWN = 'vk-numbered';
const POSITION = 'vkPosition';

export class Badges {
  private shown = false;
  private frame = 0;

  constructor(private readonly panel: NotebookPanel) {
    panel.context.ready.then(
      () => {
        panel.content.model?.cells.changed.connect(this.schedule);
      },
      () => undefined // the notebook could not be read: it says so itself
    );
    panel.disposed.connect(() => cancelAnimationFrame(this.frame));
  }

  show(on: boolean): void {
    if (on !== this.shown && !this.panel.isDisposed) {
      this.shown = on;
      this.number();
      this.panel.content.node.classList.toggle(SHOWN, on);
    }
  }

  private readonly schedule = (): void => {
    if (this.shown && this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.number();
      });
    }
  };

  private number(): void {
    if (!this.shown) {
      return;
    }
    this.panel.content.widgets.forEach((cell, index) => {
      const position = String(index + 1);
      if (cell.node.dataset[POSITION] !== position) {
        cell.node.dataset[POSITION] = position;
      }
    });
  }
}
