import { type ChildProcess, spawn } from 'node:child_process';
import { Failure } from '../failure.ts';

/** ffmpeg or ffprobe of this machine, running. */
export interface Tool {
  readonly process: ChildProcess;
  /** Its exit code and the first line of its stderr, once it has ended. @throws Failure if it is not installed */
  readonly ended: Promise<{ readonly code: number; readonly complaint: string }>;
}

export function start(tool: 'ffmpeg' | 'ffprobe', args: readonly string[], input: 'ignore' | 'pipe'): Tool {
  // A group of its own: we pass a terminal's Ctrl-C on.
  const process = spawn(tool, ['-v', 'error', ...args], { stdio: [input, 'pipe', 'pipe'], detached: true });
  let said = '';
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 4096) said += text;
  });
  const ended = new Promise<{ code: number; complaint: string }>((resolve, reject) => {
    process.once('error', ({ code }: NodeJS.ErrnoException) => reject(notStarted(tool, code)));
    process.once('close', (code) => {
      const first = said.split('\n').find((line) => line.trim() !== '');
      resolve({ code: code ?? 1, complaint: readable(first ?? '') });
    });
  });
  // The reader of its output gets the failure there first.
  ended.catch(() => {});
  return { process, ended };
}

function notStarted(tool: string, code: string | undefined): Failure {
  if (code !== 'ENOENT') return new Failure(`${tool} cannot be started (${code})`);
  return new Failure(
    `${tool} is not installed: on Debian and Ubuntu "apt-get install ffmpeg", on macOS "brew install ffmpeg"`,
  );
}

/** Removes the component's address in memory: `[h264 @ 0x55d0c8] error while decoding` */
const readable = (line: string): string => line.replace(/^\[([^\]@]*?)(?: @ [^\]]*)?\] ?/, '$1: ').trim();
