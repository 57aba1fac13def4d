/** Whether a Durable Object or the database cannot be reached, as opposed to one that failed on what it was asked. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { retryable, overloaded, message } = error as Error & { retryable?: boolean; overloaded?: boolean };
  return retryable === true || overloaded === true || message.startsWith('D1_');
}
