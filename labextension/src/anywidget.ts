/**
 * Host 1: the panel in an anywidget, in any Jupyter front end.
 *
 * Responsible for turning the widget's model into a Channel; it does not know the panel's inside.
 */
import type { Hello, ToKernel, ToSurface } from './messages.gen';
import type { Buffers, Channel } from './panel/channel';
import { mount } from './panel/mount';

/** What is used of anywidget's model (https://anywidget.dev/en/afm/). */
export interface Model {
  get(name: 'view'): 'panel' | 'card';
  get(name: 'turn_id'): number;
  get(name: 'surface_kind'): Hello['kind'];
  send(content: ToKernel, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (...payload: never[]) => void): void;
  off(event: string, callback: (...payload: never[]) => void): void;
}

export function channelOf(model: Model): Channel {
  return {
    send: (message, buffers) => model.send(message, undefined, buffers),
    onMessage: callback => {
      const listener = (message: ToSurface, buffers?: Buffers): void => callback(message, buffers);
      model.on('msg:custom', listener);
      return () => model.off('msg:custom', listener);
    },
    onClose: callback => {
      // ipywidgets: the comm was closed by the kernel; or the kernel is gone and the model is cut off.
      model.on('comm:close', callback);
      model.on('comm_live_update', callback);
      return () => {
        model.off('comm:close', callback);
        model.off('comm_live_update', callback);
      };
    }
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  return mount(el, {
    channel: channelOf(model),
    view: model.get('view'),
    turnId: model.get('turn_id'),
    kind: model.get('surface_kind'),
    // A widget cannot reach the notebook that it stands in.
    cells: false
  });
}

export default { render };
