import { createReadStream, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const repository = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Files that the page fetches by name: the default network, and the photos of the gallery. */
const files: ReadonlyMap<string, string> = new Map([
  ...['efficientnet-lite0.onnx', 'efficientnet-lite0.json', 'labels.csv'].map(
    (name) => [`models/${name}`, repository(`models/efficientnet-lite0/${name}`)] as const,
  ),
  ...['coffee.jpg', 'cat.jpg'].map(
    (name) => [`photos/${name}`, repository(`apps/cli/photos/${name}`)] as const,
  ),
  ...['rocket.jpg', 'astronaut.jpg'].map(
    (name) => [`photos/${name}`, repository(`apps/web/gallery/${name}`)] as const,
  ),
]);

/** Puts these files into the build, and serves them while developing. */
export function servedFiles(): Plugin {
  return {
    name: 'whylight:served-files',
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const file = files.get(new URL(request.url ?? '', 'http://localhost').pathname.slice(1));
        if (file === undefined) next();
        else createReadStream(file).pipe(response);
      });
    },
    generateBundle() {
      for (const [fileName, from] of files)
        this.emitFile({ type: 'asset', fileName, source: readFileSync(from) });
    },
  };
}
