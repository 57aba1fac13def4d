import { SingleBar } from 'cli-progress';
import { harmless } from './output.ts';

/** A progress bar on stderr. It appears after one second, and only on a terminal. */
export class Progress {
  readonly #title: string;
  readonly #start = performance.now();
  #bar: SingleBar | undefined;

  constructor(title: string) {
    this.#title = harmless(title);
  }

  update(completed: number, total: number): void {
    if (!process.stderr.isTTY || performance.now() - this.#start < 1000) return;
    if (!this.#bar) {
      const format = `${this.#title} {bar} {value}/{total} {eta_formatted} left`;
      this.#bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, clearOnComplete: true });
      this.#bar.start(total, completed);
    }
    this.#bar.setTotal(total);
    this.#bar.update(completed);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
