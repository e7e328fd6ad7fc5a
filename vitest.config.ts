import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source'], externalConditions: ['millrace-source'] } },
  test: { include: ['test/**/*.test.ts'], pool: 'threads', maxWorkers: '100%', testTimeout: 30_000 },
})
