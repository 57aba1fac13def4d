import * as web from '../../../src/index.ts';

/** What the tests and the benchmark call in the page. */
Object.assign(globalThis, { web });
