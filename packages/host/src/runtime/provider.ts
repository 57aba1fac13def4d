import { execFile } from 'node:child_process';
import { withoutPaths } from '@whylight/core';
import { ownFile } from '../own-file.ts';

/** The devices on which ONNX Runtime runs a graph. */
export const executionProviders = ['cpu', 'cuda', 'webgpu'] as const;
export type ExecutionProvider = (typeof executionProviders)[number];

const howToGet: Record<ExecutionProvider, string> = {
  cpu: 'It is bundled with onnxruntime-node: reinstall the dependencies for this platform.',
  cuda: 'Install its libraries with ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node, on a machine with an NVIDIA driver, the CUDA that they are linked against and cuDNN 9.',
  webgpu: 'It is bundled, but needs a GPU with a Vulkan, Metal or Direct3D 12 driver.',
};

/** The requested execution provider cannot run on this machine. The message may be shown to anyone. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';
  readonly provider: ExecutionProvider;
  /** The reason in a few words, such as `provider library not found`. */
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
 * Returns the reason why `provider` cannot run a graph on this machine, or null if it can. It runs a small graph in
 * another process, because drivers write to stderr and may crash.
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

/** Extracts the reason from ONNX Runtime's `message` and `log`, without the paths in them. */
function reasonOf(message: string, log: string): string {
  const library = /(lib[\w.+-]+\.so[.\d]*): cannot open shared object file/.exec(log)?.[1];
  if (library && !library.startsWith('libonnxruntime')) return `${library} not found`;
  if (message.includes('Failed to load shared library')) return 'provider library not found';
  if (/adapter/i.test(message)) return 'no GPU adapter found';
  return withoutPaths(message) || 'it failed to start';
}
