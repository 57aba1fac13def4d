import type { JSX } from 'preact';
import { isStale, type Tile } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import type { Parts } from './parts.ts';
import { Progress } from './progress.tsx';

/** What a tile does now, and what the user can have it do. */
export function TileWork({ tile, session, workbench }: Parts & { readonly tile: Tile }): JSX.Element | null {
  const words = useWords().explain;
  const { method, work, shown } = tile;
  if (!workbench || !session.model) return null;
  if (work.phase === 'running')
    return (
      <div class="work">
        <Progress label={words.computing} part={work.part} />
        {work.isLost && (
          <p class="small" role="status">
            {words.lost}
          </p>
        )}
        <button type="button" onClick={() => workbench.stop(method)}>
          {words.stop}
        </button>
      </div>
    );
  const isOpen = shown?.kind !== 'computed' || isStale(session, tile);
  if (work.phase !== 'failed' && !isOpen) return null;
  const runs = session.model.methods.find(({ id }) => id === method)?.runs ?? 1;
  const seconds = session.classes && session.classes.run > 0 ? (runs * session.classes.run) / 1000 : null;
  return (
    <div class="work">
      {work.phase === 'failed' ? (
        <p class="fault" role="alert">
          {work.message}
        </p>
      ) : (
        <p class="small">{words.runs(runs, seconds)}</p>
      )}
      <button type="button" disabled={!session.photo} onClick={() => workbench.explain(method)}>
        {work.phase === 'failed' ? words.again : words.one}
      </button>
    </div>
  );
}
