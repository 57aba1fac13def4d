import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from '../api-document/tools.ts';

/** A finding of a type checker. */
interface Finding {
  readonly file: string;
  readonly text: string;
}

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/**
 * Which findings count. A file that the generator writes byte by byte the same for a document without operations is its own: nothing
 * that our document says can mend or break it. `known` names findings in other files that are the generator's too, each with the reason.
 */
interface Allowance {
  /** The client of the document without operations. */
  readonly emptyClient: string;
  readonly known?: readonly { readonly finding: RegExp; readonly reason: string }[];
}

/** Runs mypy in a folder, and judges what it finds. */
export function mypy(args: readonly string[], folder: string, allowance?: Allowance): Outcome {
  const { status, output } = run('python', ['-m', 'mypy', '--no-error-summary', ...args], folder);
  const lines = output.split('\n').filter((line) => line.includes(': error: '));
  if (status !== 0 && lines.length === 0) return { status, output };
  return judged(
    'mypy',
    lines.map((text) => ({ file: text.slice(0, text.indexOf(':')), text })),
    folder,
    allowance,
  );
}

/** Runs pyright in a folder, and judges what it finds. */
export function pyright(args: readonly string[], folder: string, allowance?: Allowance): Outcome {
  const { status, output } = run('pyright', ['--outputjson', ...args], folder);
  if (!output.startsWith('{')) return { status: 1, output: `${status}: ${output}` };
  const { generalDiagnostics } = JSON.parse(output) as {
    generalDiagnostics: {
      file: string;
      severity: string;
      message: string;
      range: { start: { line: number } };
    }[];
  };
  const errors = generalDiagnostics.filter(({ severity }) => severity === 'error');
  const findings = errors.map(({ file, message, range }) => {
    const inside = relative(folder, file);
    return { file: inside, text: `${inside}:${range.start.line + 1}: ${message}` };
  });
  return judged('pyright', findings, folder, allowance);
}

function judged(
  checker: string,
  findings: readonly Finding[],
  folder: string,
  { emptyClient, known = [] }: Partial<Allowance> = {},
): Outcome {
  const isOwn = (file: string): boolean =>
    emptyClient !== undefined &&
    existsSync(join(emptyClient, file)) &&
    readFileSync(join(emptyClient, file)).equals(readFileSync(join(folder, file)));
  const own = findings.filter(({ file }) => isOwn(file));
  const others = findings.filter((each) => !own.includes(each));
  const excused = others.filter(({ text }) => known.some(({ finding }) => finding.test(text)));
  const left = others.filter((each) => !excused.includes(each));
  const stale = known.filter(({ finding }) => !excused.some(({ text }) => finding.test(text)));
  if (own.length > 0) {
    const files = [...new Set(own.map(({ file }) => file))].join(', ');
    console.log(
      `${checker}: ${own.length} findings in ${files}, which the generator writes for any document`,
    );
  }
  for (const { finding, reason } of known) console.log(`${checker}: excepted ${finding}: ${reason}`);
  return {
    status: left.length + stale.length > 0 ? 1 : 0,
    output: [
      ...left.map(({ text }) => text),
      ...stale.map(({ finding }) => `${finding} is found no more: take the exception out`),
    ].join('\n'),
  };
}
