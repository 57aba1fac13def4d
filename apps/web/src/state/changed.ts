import type { Change } from './changes.ts';
import { none, type ServiceAccess, type Session, type Tile, type Work } from './session.ts';

/** The session after a change. An answer to an older request changes nothing. */
export function changed(session: Session, change: Change): Session {
  switch (change.type) {
    case 'language':
      return { ...session, language: change.language };
    case 'engine-loading':
      return { ...session, engine: { phase: 'loading', what: change.what, part: change.part } };
    case 'engine-ready':
      return { ...session, engine: { phase: 'ready', facts: change.facts } };
    case 'engine-failed':
      return { ...session, engine: { phase: 'failed', message: change.message } };
    case 'key-checking':
      return withKey(session, { phase: 'checking', request: change.request });
    case 'key-accepted':
      return isChecked(session, change) ? withKey(session, { phase: 'accepted' }) : session;
    case 'key-failed': {
      const { message, isKey } = change;
      return isChecked(session, change) ? withKey(session, { phase: 'refused', message, isKey }) : session;
    }
    case 'key-expired':
      return withKey(session, { phase: 'refused', message: change.message, isKey: true });
    case 'model-opening':
      if (session.opening.phase === 'running' && session.opening.request > change.request) return session;
      return { ...session, opening: running(change.request, change.part) };
    case 'model-opened':
      return isAwaited(session.opening, change) ? withModel(session, change) : session;
    case 'model-failed':
      return isAwaited(session.opening, change)
        ? { ...session, opening: { phase: 'failed', message: change.message } }
        : session;
    case 'photo-reading':
      return { ...session, reading: running(change.request, null), photoFailure: null };
    case 'photo-read':
      return isAwaited(session.reading, change)
        ? { ...session, reading: none, photo: change.photo, target: session.photo ? null : session.target }
        : session;
    case 'photo-failed':
      return isAwaited(session.reading, change)
        ? { ...session, reading: none, photoFailure: change.failure }
        : session;
    case 'classes-asked':
      return { ...session, classifying: running(change.request, null) };
    case 'classes-answered':
      return isAwaited(session.classifying, change)
        ? { ...session, classifying: none, classes: change.classes, classesOf: change.of }
        : session;
    case 'classes-failed':
      return isAwaited(session.classifying, change)
        ? { ...session, classifying: { phase: 'failed', message: change.message } }
        : session;
    case 'target':
      return { ...session, target: change.target };
    case 'look':
      return { ...session, look: { ...session.look, ...change.look } };
    default:
      return { ...session, tiles: tilesAfter(session.tiles, change) };
  }
}

type TileChange = Extract<Change, { readonly method: string }>;

function tilesAfter(tiles: readonly Tile[], change: TileChange): readonly Tile[] {
  if (change.type === 'method-removed') return tiles.filter(({ method }) => method !== change.method);
  if (change.type === 'method-added')
    return tiles.some(({ method }) => method === change.method)
      ? tiles
      : [...tiles, { method: change.method, shown: null, work: none }];
  return tiles.map((tile) => (tile.method === change.method ? tileAfter(tile, change) : tile));
}

function tileAfter(
  tile: Tile,
  change: Exclude<TileChange, { readonly type: 'method-added' | 'method-removed' }>,
): Tile {
  switch (change.type) {
    case 'tile-asked':
      return { ...tile, work: running(change.request, null) };
    case 'tile-stopped':
      return { ...tile, work: { phase: 'stopped' } };
    case 'tile-progress':
      return isAwaited(tile.work, change) ? { ...tile, work: running(change.request, change.part) } : tile;
    case 'tile-reached':
      return tile.work.phase === 'running' && isAwaited(tile.work, change)
        ? { ...tile, work: { ...tile.work, isLost: !change.isReached } }
        : tile;
    case 'tile-failed':
      return isAwaited(tile.work, change)
        ? { ...tile, work: { phase: 'failed', message: change.message } }
        : tile;
    case 'tile-answered': {
      if (!isAwaited(tile.work, change)) return tile;
      const { question, result, photo } = change;
      return { ...tile, work: none, shown: { kind: 'computed', question, result, photo } };
    }
  }
}

/** Another model has other classes, and other methods suit it. The first one is the recorded one: its pictures stay. */
function withModel(session: Session, { model }: Extract<Change, { readonly type: 'model-opened' }>): Session {
  const isFirst = session.model === null;
  const kept = new Map(session.tiles.map((tile) => [tile.method, tile]));
  const tiles = model.suggested.map(
    (method): Tile => kept.get(method) ?? { method, shown: null, work: none },
  );
  return { ...session, model, opening: none, target: isFirst ? session.target : null, tiles };
}

const withKey = (session: Session, key: ServiceAccess['key']): Session => ({
  ...session,
  service: session.service && { ...session.service, key },
});

const isChecked = ({ service }: Session, { request }: { readonly request: number }): boolean =>
  service?.key.phase === 'checking' && service.key.request === request;

const running = (request: number, part: number | null): Work => ({ phase: 'running', request, part });

const isAwaited = (work: Work, { request }: { readonly request: number }): boolean =>
  work.phase === 'running' && work.request === request;
