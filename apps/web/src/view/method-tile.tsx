import type { JSX } from 'preact';
import { pictureOf } from '../first/pictures.ts';
import { isStale, type Session, type Tile } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import { ComputedMap } from './computed-map.tsx';
import type { Point } from './crosshair.tsx';
import { titleOf } from './method-tile-title.ts';
import type { Parts } from './parts.ts';
import { Quality } from './quality.tsx';
import { ResultFacts } from './result-facts.tsx';
import { TakeAway } from './take-away.tsx';
import { TileWork } from './tile-work.tsx';

interface Props extends Parts {
  readonly tile: Tile;
  readonly point: Point | null;
  readonly onPoint: (point: Point | null) => void;
}

/** One method: its map, what its colours mean, what it does now. */
export function MethodTile({ tile, session, workbench, point, onPoint }: Props): JSX.Element {
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
        <ComputedMap
          title={title}
          shown={shown}
          look={session.look}
          stale={stale}
          point={shown.photo === session.photo ? point : null}
          onPoint={onPoint}
        />
      )}
      {shown?.kind === 'computed' && <ResultFacts result={shown.result} />}
      {shown === null && <EmptyPicture session={session} />}
      <TileWork tile={tile} session={session} workbench={workbench} />
      {shown?.kind === 'computed' && !stale && (
        <Quality shown={shown} session={session} workbench={workbench} />
      )}
      {shown?.kind === 'computed' && !stale && (
        <TakeAway shown={shown} session={session} title={title} workbench={workbench} />
      )}
    </li>
  );
}

function EmptyPicture({ session: { photo } }: { readonly session: Session }): JSX.Element {
  const words = useWords().explain;
  return (
    <div class="picture empty">
      <svg viewBox={`0 0 ${photo?.width ?? 1} ${photo?.height ?? 1}`} aria-hidden="true" />
      <span>{words.none}</span>
    </div>
  );
}
