import type { JSX } from 'preact';
import { pictureOf } from '../first/pictures.ts';
import { isStale, type Session, type Tile } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import { ComputedMap } from './computed-map.tsx';
import type { Parts } from './parts.ts';
import { TakeAway } from './take-away.tsx';
import { TileWork } from './tile-work.tsx';

/** One method: its map, what its colours mean, what it does now. */
export function MethodTile({ tile, session, workbench }: Parts & { readonly tile: Tile }): JSX.Element {
  const words = useWords();
  const { shown, method } = tile;
  const title = titleOf(session, tile);
  const facts = session.model?.methods.find(({ id }) => id === method);
  const stale = isStale(session, tile);
  return (
    <li class={stale ? 'tile stale' : 'tile'} data-method={method}>
      <div class="heading">
        <h3 title={facts?.summary}>{title}</h3>
        {workbench && (
          <button
            type="button"
            class="plain"
            aria-label={words.methods.remove(title)}
            onClick={() => workbench.removeMethod(method)}
          >
            ×
          </button>
        )}
      </div>
      {shown?.kind === 'recorded' && (
        <div class="picture">
          <img
            src={pictureOf(method)}
            alt={words.legend.alt(title, session.classes?.all[0]?.label ?? '')}
            width={shown.recorded.width}
            height={shown.recorded.height}
          />
          <span class="badge" title={words.recordedAbout}>
            {words.recorded}
          </span>
        </div>
      )}
      {shown?.kind === 'computed' && (
        <ComputedMap title={title} shown={shown} look={session.look} stale={stale} />
      )}
      {shown === null && <EmptyPicture session={session} />}
      <TileWork tile={tile} session={session} workbench={workbench} />
      {shown?.kind === 'computed' && !stale && (
        <TakeAway shown={shown} session={session} title={title} workbench={workbench} />
      )}
    </li>
  );
}

export const titleOf = ({ model }: Session, { method, shown }: Tile): string =>
  model?.methods.find(({ id }) => id === method)?.title ??
  (shown?.kind === 'recorded' ? shown.recorded.title : method);

function EmptyPicture({ session: { photo } }: { readonly session: Session }): JSX.Element {
  const words = useWords().explain;
  return (
    <div class="picture empty">
      <svg viewBox={`0 0 ${photo?.width ?? 1} ${photo?.height ?? 1}`} aria-hidden="true" />
      <span>{words.none}</span>
    </div>
  );
}
