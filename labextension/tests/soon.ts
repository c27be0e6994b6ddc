import { vi } from 'vitest';

/** Waits until something holds, as long as a busy machine may take; what holds is seen at once. */
export function soon(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { timeout: 50_000, interval: 10 });
}
