import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

/** Kept only once the engine has run: it is large, and a visitor may leave before. */
const isOfEngine = (file: string): boolean => file.endsWith('.wasm');
/** Not kept: the build for WebGPU, which few visitors run, and the network, which the engine keeps by its digest. */
const isLeftOut = (file: string): boolean =>
  /webgpu|jsep|asyncify|jspi/.test(file) || /^models\/|\.map$/.test(file);

/** Writes `service-worker.js`, which knows the names of all files of the build. */
export function serviceWorker(): Plugin {
  return {
    name: 'whylight:service-worker',
    apply: 'build',
    enforce: 'post',
    async writeBundle({ dir }, bundle) {
      const files = Object.keys(bundle).filter((file) => !isLeftOut(file));
      const digest = createHash('sha256');
      for (const file of files.sort()) {
        const output = bundle[file]!;
        digest.update(file).update(output.type === 'chunk' ? output.code : output.source);
      }
      const page = ['./', ...files.filter((file) => !isOfEngine(file)).map((file) => `./${file}`)];
      await build({
        configFile: false,
        logLevel: 'error',
        publicDir: false,
        define: {
          version: JSON.stringify(digest.digest('hex').slice(0, 16)),
          filesOfPage: JSON.stringify(page),
          filesOfEngine: JSON.stringify(files.filter(isOfEngine).map((file) => `./${file}`)),
        },
        build: {
          outDir: dir!,
          emptyOutDir: false,
          target: 'es2024',
          rolldownOptions: {
            input: fileURLToPath(new URL('../src/service-worker/service-worker.ts', import.meta.url)),
            output: { entryFileNames: 'service-worker.js', format: 'iife' },
          },
        },
      });
    },
  };
}
