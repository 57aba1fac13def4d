/** How ONNX Runtime begins a line of its log. */
const isLog = /\[[VIWEF]:onnxruntime:/;

/** What `work` gives, and what ONNX Runtime logs meanwhile, which WebAssembly writes as errors of the console. */
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

/** Types of operators that the log says to be placed on the processor, where another provider was wanted. */
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
