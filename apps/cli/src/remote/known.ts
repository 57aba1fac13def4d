import { ProblemError } from '@whylight/client';

/** Returns the answer about `what`, such as `key key_1`. @throws ProblemError that names it if it does not exist */
export async function known<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) error.message = `the service has no ${what}`;
    throw error;
  }
}
