import { createRequire } from 'node:module';

/** The programs that `whylight serve` starts as processes, by their names in `imports` of package.json. */
export type Program = '#guard' | '#gateway' | '#worker' | '#front-socket';

/** The file of a program: TypeScript in a clone, JavaScript in a published package. */
export const programFile: (program: Program) => string = createRequire(import.meta.url).resolve;
