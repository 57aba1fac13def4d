import { createRequire } from 'node:module';

/**
 * Finds the path of a file that this package ships: a font, the program of a thread. It resolves the package's name,
 * not the place of this module: a bundler moves the module, and the file stays where the package is installed.
 *
 * @param name as `exports` of package.json has it
 */
export const ownFile = (name: string): string =>
  createRequire(import.meta.url).resolve(`@whylight/host/${name}`);
