import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

const source = fileURLToPath(new URL('./bare/index.ts', import.meta.url));

/** A bare Hono route in workerd, with a port of its own as the gateway has it. */
export async function startBare(): Promise<{ url: string; stop(): Promise<void> }> {
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    write: false,
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      name: 'bare',
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate: '2026-11-01',
      unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    }),
  );
  const { href } = await miniflare.unsafeGetDirectURL('bare');
  return { url: href, stop: () => miniflare.dispose() };
}
