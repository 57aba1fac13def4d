import { execFile } from 'node:child_process';
import { withoutPaths } from '@whylight/core';
import { ownFile } from '../own-file.ts';

/** Where ONNX Runtime runs a graph. */
export const executionProviders = ['cpu', 'cuda', 'webgpu'] as const;
export type ExecutionProvider = (typeof executionProviders)[number];

const howToGet: Record<ExecutionProvider, string> = {
  cpu: 'It is bundled with onnxruntime-node: reinstall the dependencies for this platform.',
  cuda: 'Install its libraries with ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node, on a machine with an NVIDIA driver, the CUDA that they are linked against and cuDNN 9.',
  webgpu: 'It is bundled, but needs a GPU with a Vulkan, Metal or Direct3D 12 driver.',
};

/** An execution provider that was asked for and cannot run here. The message is safe to show. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';
  readonly provider: ExecutionProvider;
  /** A few words, such as `provider library not found`. */
  readonly reason: string;

  constructor(provider: ExecutionProvider, reason: string) {
    super(
      `execution provider ${provider} is not available: ${reason}. Bundled: cpu, webgpu. ${howToGet[provider]}`,
    );
    this.provider = provider;
    this.reason = reason;
  }
}

/**
 * Why `provider` cannot run a graph on this machine, or null when it can. A small graph is run in a process of
 * its own: drivers write to stderr as they please and may crash, and neither is to happen in ours.
 */
export async function whyUnavailable(provider: ExecutionProvider, deviceId: number): Promise<string | null> {
  const script = ownFile('programs/probe');
  return new Promise((resolve) => {
    const limits = { timeout: 60_000, maxBuffer: 1 << 20 };
    execFile(process.execPath, [script, provider, String(deviceId)], limits, (error, stdout, stderr) => {
      if (error === null) resolve(null);
      else if (error.signal) resolve(`its driver ended the process with ${error.signal}`);
      else resolve(reasonOf(stdout, stderr));
    });
  });
}

/** The reason in ONNX Runtime's words (`message`, `log`), without the paths that those hold. */
function reasonOf(message: string, log: string): string {
  const library = /(lib[\w.+-]+\.so[.\d]*): cannot open shared object file/.exec(log)?.[1];
  if (library && !library.startsWith('libonnxruntime')) return `${library} not found`;
  if (message.includes('Failed to load shared library')) return 'provider library not found';
  if (/adapter/i.test(message)) return 'no GPU adapter found';
  return withoutPaths(message) || 'it failed to start';
}
