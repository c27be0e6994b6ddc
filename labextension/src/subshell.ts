/**
 * A second connection to a kernel, over a subshell of its own: answered while a cell runs.
 *
 * After a reload JupyterLab does not know what a busy kernel can do before the cell has ended, and cannot
 * ask for a subshell. The control channel can: a kernel without subshells leaves the request unanswered.
 */
import { type Kernel, KernelMessage } from '@jupyterlab/services';

const ANSWER_MS = 2_000;

/** Whether a promise is kept within a time; a broken one counts as kept. */
export function within(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), limitMs);
    const kept = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(kept, kept);
  });
}

/** Returns the connection, or null when the kernel has no subshells. Whoever asked disposes of it. */
export async function beside(kernel: Kernel.IKernelConnection): Promise<Kernel.IKernelConnection | null> {
  // Not over the kernel's own connection: that holds messages back until the busy shell has answered it.
  const connection = kernel.clone({ handleComms: true });
  const id = (await within(connected(connection), ANSWER_MS)) ? await createSubshell(connection) : '';
  if (!id || connection.isDisposed) {
    connection.dispose();
    return null;
  }
  connection.subshellId = id;
  connection.disposed.connect(() => {
    if (!kernel.isDisposed && kernel.supportsSubshells) {
      // The kernel may go at the same time, and its subshells with it.
      kernel.requestDeleteSubshell({ subshell_id: id }).done.catch(() => undefined);
    }
  });
  // The first request for the kernel's info waits on the busy shell; this one is answered on the subshell.
  await connection.requestKernelInfo();
  return connection;
}

function connected(kernel: Kernel.IKernelConnection): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (kernel.connectionStatus === 'connected') {
        kernel.connectionStatusChanged.disconnect(look);
        resolve();
      }
    };
    kernel.connectionStatusChanged.connect(look);
    look();
  });
}

/** Returns the new subshell's id; empty when the kernel did not answer. */
async function createSubshell(kernel: Kernel.IKernelConnection): Promise<string> {
  const request = KernelMessage.createMessage<KernelMessage.ICreateSubshellRequestMsg>({
    msgType: 'create_subshell_request',
    channel: 'control',
    username: kernel.username,
    session: kernel.clientId,
    content: {}
  });
  const future = kernel.sendControlMessage(request, true) as unknown as Kernel.IControlFuture<
    KernelMessage.ICreateSubshellRequestMsg,
    KernelMessage.ICreateSubshellReplyMsg
  >;
  let id = '';
  future.onReply = reply => {
    id = 'subshell_id' in reply.content ? reply.content.subshell_id : '';
  };
  if (!(await within(future.done, ANSWER_MS))) {
    future.dispose();
  }
  return id;
}
