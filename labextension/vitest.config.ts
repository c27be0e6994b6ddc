import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.{ts,tsx}'],
    pool: 'threads',
    maxWorkers: 2,
    // Bounds, not measures: a busy machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
});
