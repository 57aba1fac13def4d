/** One consumer: resolves with its findings. @throws Skipped, or an Error for a consumer that fails */
export interface Check {
  readonly consumer: string;
  readonly run: () => Promise<string>;
}

/** A consumer that cannot be tried on this machine; the message says why. */
export class Skipped extends Error {}

/** Runs consumers one after the other, and prints the result of each. */
export class Table {
  readonly #rows: string[] = [];
  readonly #failures: string[] = [];

  async run({ consumer, run }: Check): Promise<void> {
    const start = performance.now();
    const row = (outcome: string, said: string): void => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      this.#rows.push(
        `| ${consumer} | ${outcome} | ${seconds} s | ${said.replace(/\s+/g, ' ').slice(0, 120)} |`,
      );
      console.error(`${consumer}: ${outcome} (${seconds} s)`);
    };
    try {
      row('works', await run());
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof Skipped) return row('skipped', message);
      this.#failures.push(`${consumer}: ${message}`);
      row('FAILS', message);
    }
  }

  get failed(): boolean {
    return this.#failures.length > 0;
  }

  text(): string {
    return ['| consumer | | time | saw |', '|---|---|---|---|', ...this.#rows, '', ...this.#failures].join(
      '\n',
    );
  }
}
