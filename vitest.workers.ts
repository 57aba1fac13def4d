import { availableParallelism } from 'node:os';

/**
 * Test files at a time, the same for all projects, so that vitest runs them in one queue. One more than there are cores,
 * because tests of services spend a good part of their time waiting; at most five, because some of them hold a whole service.
 */
export const maxWorkers = Math.min(availableParallelism(), 4) + 1;
