import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'models', include: ['*/**/*.test.ts'], testTimeout: 60_000 },
});
