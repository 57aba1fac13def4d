import type { Session } from '../state/session.ts';
import type { Workbench } from '../workbench/workbench.ts';

/** What every part of the page is drawn from. */
export interface Parts {
  readonly session: Session;
  /** Null while the page is drawn without a browser. */
  readonly workbench: Workbench | null;
}
