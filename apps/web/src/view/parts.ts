import type { Session } from '../state/session.ts';
import type { Workbench } from '../workbench/workbench.ts';

/** Every part of the page gets these, and draws itself from them. */
export interface Parts {
  readonly session: Session;
  /** Null while the page is drawn without a browser. */
  readonly workbench: Workbench | null;
}
