import type { Session, Tile } from '../state/session.ts';

/** The name of a tile's method, also before the engine is there. */
export const titleOf = ({ model }: Session, { method, shown }: Tile): string =>
  model?.methods.find(({ id }) => id === method)?.title ??
  (shown?.kind === 'recorded' ? shown.recorded.title : method);
