/**
 * Shows in a real cell what the kernel ran for it while `%voice` keeps the kernel busy.
 *
 * JupyterLab shows what answers its own requests. Code that `%voice` runs answers a request that the
 * kernel made up; its messages come over the same socket, and are put into the cell from here.
 */
import type { CodeCell } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** Output may be on its way when the kernel says that it is done. */
const LATE_MS = 1_000;

interface Route {
  readonly cell: CodeCell;
  /** Where each display of this run stands, for its updates. */
  readonly displays: Map<string, number[]>;
  clearNext: boolean;
}

export class NestedOutputs {
  private readonly routes = new Map<string, Route>();
  private kernel: Kernel.IKernelConnection | null = null;

  start(kernel: Kernel.IKernelConnection, parent: string, cell: CodeCell): void {
    if (kernel !== this.kernel) {
      this.stop();
      this.kernel = kernel;
      kernel.iopubMessage.connect(this.receive);
    }
    if (!this.routes.has(parent)) {
      cell.model.clearExecution();
      cell.model.executionState = 'running';
      cell.outputHidden = false;
      this.routes.set(parent, { cell, displays: new Map(), clearNext: false });
    }
  }

  finish(parent: string, executionCount: number | null): void {
    const route = this.routes.get(parent);
    if (route && !route.cell.isDisposed) {
      route.cell.model.executionState = 'idle';
      route.cell.model.executionCount = executionCount;
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
