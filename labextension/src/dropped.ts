/**
 * Files of JupyterLab's file browser, dropped on the panel: they become what files of the desktop are there.
 *
 * Knows the front end's own way of dragging (Lumino's events) and where its files are read. What becomes of a
 * dropped file, and how large it may be, is the panel's affair.
 *
 * Source: @lumino/dragdrop and @jupyterlab/filebrowser, for the names of events and mime types.
 */
import type { Contents } from '@jupyterlab/services';

const PATHS = 'application/x-jupyter-icontents';
const MAX_FILES = 20;
/** Larger files the panel does not take. */
const MAX_BYTES = 8_000_000;

/** What of `Drag.Event` is needed. */
interface LuminoDrag extends MouseEvent {
  dropAction: string;
  readonly proposedAction: string;
  readonly mimeData: { hasData(mime: string): boolean; getData(mime: string): unknown };
}

/** Lets files of the file browser be dropped on a node whose form takes files of the desktop. */
export function takeDroppedFiles(node: HTMLElement, contents: Contents.IManager): void {
  const accept = (event: Event): void => {
    const drag = event as LuminoDrag;
    if (formOf(node) && drag.mimeData.hasData(PATHS)) {
      drag.preventDefault();
      drag.stopPropagation();
      drag.dropAction = drag.proposedAction;
    }
  };
  node.addEventListener('lm-dragenter', accept);
  node.addEventListener('lm-dragover', accept);
  node.addEventListener('lm-drop', event => {
    accept(event);
    const paths = (event as LuminoDrag).mimeData.getData(PATHS);
    if (Array.isArray(paths)) {
      void hand(node, contents, paths.slice(0, MAX_FILES).map(String));
    }
  });
}

async function hand(node: HTMLElement, contents: Contents.IManager, paths: string[]): Promise<void> {
  const data = new DataTransfer();
  for (const path of paths) {
    const file = await read(contents, path);
    if (file) {
      data.items.add(file);
    }
  }
  if (data.files.length > 0) {
    formOf(node)?.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}

/** The file as it is on the disk, notebooks too; null for a folder, and for what is there no more. */
async function read(contents: Contents.IManager, path: string): Promise<File | null> {
  try {
    const about = await contents.get(path, { content: false });
    if (about.type === 'directory') {
      return null;
    }
    // One that the panel refuses for its size is not fetched for that.
    const bytes = (about.size ?? 0) > MAX_BYTES ? new Uint8Array(MAX_BYTES + 1) : await bytesOf(contents, path);
    return new File([bytes], about.name, { type: about.mimetype || 'application/octet-stream' });
  } catch {
    return null; // deleted meanwhile, or not to be read: nothing appears in the text box
  }
}

async function bytesOf(contents: Contents.IManager, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const model = await contents.get(path, { type: 'file', format: 'base64', content: true });
  return Uint8Array.from(atob(String(model.content).replace(/\s/g, '')), letter => letter.charCodeAt(0));
}

/** The text box of the panel that is shown. */
function formOf(node: HTMLElement): HTMLElement | null {
  return [...node.querySelectorAll<HTMLElement>('.vk-say')].find(form => form.offsetParent !== null) ?? null;
}
