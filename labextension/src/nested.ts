/**
 * Shows in a real cell what the kernel ran for it while `%voice` keeps the kernel busy.
 *
 * JupyterLab shows what answers its own requests. Code that `%voice` runs answers a request that the
 * kernel made up; its messages come over the same socket, and are put into the cell from here. A page that
 * is loaded while the cell runs has missed some of them: the kernel says what came of them.
 */
import type { CodeCell } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { Output } from './messages.gen';
import { nbformatOf } from './views';

/** Output may be on its way when the kernel says that it is done. */
const LATE_MS = 1_000;

interface Route {
  readonly cell: CodeCell;
  /** Whether this page has seen its beginning. */
  readonly whole: boolean;
  /** Where each display of this run stands, for its updates. */
  readonly displays: Map<string, number[]>;
  clearNext: boolean;
}

export class NestedOutputs {
  private readonly routes = new Map<string, Route>();
  private kernel: Kernel.IKernelConnection | null = null;

  /** Whether this page has shown a run from its beginning. */
  began(parent: string): boolean {
    return this.routes.get(parent)?.whole ?? false;
  }

  /** @param missed what the cell has put out so far, where this page comes late. */
  start(kernel: Kernel.IKernelConnection, parent: string, cell: CodeCell, late: boolean, missed: readonly Output[]): void {
    if (kernel !== this.kernel) {
      this.stop();
      this.kernel = kernel;
      kernel.iopubMessage.connect(this.receive);
    }
    if (!this.routes.has(parent)) {
      cell.model.clearExecution();
      cell.model.executionState = 'running';
      cell.outputHidden = false;
      cell.model.outputs.fromJSON(missed.map(nbformatOf));
      this.routes.set(parent, { cell, whole: !late, displays: new Map(), clearNext: false });
    }
  }

  /** @param outputs all that it has put out, for a page that came late. */
  finish(parent: string, executionCount: number | null, outputs: readonly Output[]): void {
    const route = this.routes.get(parent);
    if (route && !route.cell.isDisposed) {
      route.cell.model.executionState = 'idle';
      route.cell.model.executionCount = executionCount;
      if (!route.whole && outputs.length > 0) {
        route.cell.model.outputs.fromJSON(outputs.map(nbformatOf));
        this.routes.delete(parent);
      }
    }
    setTimeout(() => this.routes.delete(parent), LATE_MS);
  }

  /** The kernel is gone: what ran, runs no more. */
  stop(): void {
    this.kernel?.iopubMessage.disconnect(this.receive);
    this.kernel = null;
    for (const { cell } of this.routes.values()) {
      if (!cell.isDisposed) {
        cell.model.executionState = 'idle';
      }
    }
    this.routes.clear();
  }

  private readonly receive = (_: unknown, message: KernelMessage.IIOPubMessage): void => {
    const parent = 'msg_id' in message.parent_header ? message.parent_header.msg_id : '';
    const route = this.routes.get(parent);
    if (!route || route.cell.isDisposed) {
      return;
    }
    const outputs = route.cell.model.outputs;
    const { msg_type: type } = message.header;
    const content = message.content as Record<string, unknown>;
    const id = (content['transient'] as { display_id?: string } | undefined)?.display_id;
    switch (type) {
      case 'clear_output':
        if (content['wait']) {
          route.clearNext = true;
        } else {
          outputs.clear();
          route.displays.clear();
        }
        return;
      case 'update_display_data':
        for (const index of (id && route.displays.get(id)) || []) {
          outputs.set(index, outputOf('display_data', content));
        }
        return;
      case 'stream':
      case 'display_data':
      case 'execute_result':
      case 'error': {
        if (route.clearNext) {
          route.clearNext = false;
          outputs.clear();
          route.displays.clear();
        }
        const length = outputs.add(outputOf(type, content));
        if (id) {
          route.displays.set(id, [...(route.displays.get(id) ?? []), length - 1]);
        }
        return;
      }
      default:
        return;
    }
  };
}

function outputOf(type: string, content: Record<string, unknown>): IOutput {
  const { transient: _, ...kept } = content;
  return { ...kept, output_type: type } as IOutput;
}
