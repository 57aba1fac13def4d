/** The beginning of a line in ONNX Runtime's log. */
const isLog = /\[[VIWEF]:onnxruntime:/;

/** Returns the result of `work` and ONNX Runtime's log lines meanwhile, which WebAssembly writes to console.error. */
export async function heard<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const write = console.error;
  console.error = (...words: unknown[]) => {
    if (isLog.test(String(words[0]))) lines.push(String(words[0]));
    else write(...words);
  };
  try {
    return { value: await work(), lines };
  } finally {
    console.error = write;
  }
}

/** Lists the types of operators that, by the log, run on the processor although another provider was requested. */
export function placedOnProcessor(lines: readonly string[]): string[] {
  const types = new Set<string>();
  let onProcessor = false;
  for (const line of lines) {
    const [, provider] = /Node\(s\) placed on \[(\w+)\]/.exec(line) ?? [];
    if (provider !== undefined) onProcessor = provider === 'CPUExecutionProvider';
    const [, type] = /VerifyEachNodeIsAssignedToAnEp\]\s+(\w+) \(/.exec(line) ?? [];
    if (onProcessor && type !== undefined) types.add(type);
  }
  return [...types];
}
