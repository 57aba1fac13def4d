import { fileURLToPath } from 'node:url';

/** The folder of the bundle in a published package, which brings it: nothing is built there. Takes the place of bundle.ts. */
export const gatewayBundle = async (_processes: unknown): Promise<string> =>
  fileURLToPath(new URL('../../../gateway', import.meta.url));
