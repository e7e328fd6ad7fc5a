import { vi } from 'vitest'
vi.mock('../../src/runtime/open-store.ts', async () => await import('./zz-provisional.ts'))
