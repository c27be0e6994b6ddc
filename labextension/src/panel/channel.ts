/**
 * The one way between a panel and its kernel, whoever carries it (an anywidget model, a sidebar's comm).
 *
 * Responsible for the contract only; it knows no message beyond its type.
 */
import type { ToKernel, ToSurface } from '../messages.gen';

export type Unsubscribe = () => void;
export type Buffers = readonly (ArrayBuffer | ArrayBufferView)[];
export type OnMessage = (message: ToSurface, buffers?: Buffers) => void;

export interface Channel {
  /** Sends one message, with binary buffers beside it. Throws when the channel is closed. */
  send(message: ToKernel, buffers?: ArrayBuffer[]): void;
  /** Calls back for every message of the kernel, in order, with what came beside it in binary buffers. */
  onMessage(callback: OnMessage): Unsubscribe;
  /** Calls back when the other end is gone: kernel restarted or dead, comm closed. */
  onClose(callback: () => void): Unsubscribe;
}
