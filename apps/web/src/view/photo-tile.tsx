import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { recorded } from '../first/first-session.ts';
import { pictureOf } from '../first/pictures.ts';
import type { Session } from '../state/session.ts';
import { useWords } from '../words/words.ts';

/** The photo itself, first in the grid. */
export function PhotoTile({ session: { photo } }: { readonly session: Session }): JSX.Element {
  const words = useWords().photo;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (photo) canvas.current?.getContext('2d')?.drawImage(photo.bitmap, 0, 0);
  }, [photo]);
  return (
    <li class="tile">
      <h3>{words.heading}</h3>
      <div class="picture">
        {photo ? (
          <canvas
            ref={canvas}
            role="img"
            aria-label={words.alt(photo.name)}
            width={photo.width}
            height={photo.height}
          />
        ) : (
          <img
            src={pictureOf('photo')}
            alt={words.names.coffee}
            width={recorded.photo.width}
            height={recorded.photo.height}
          />
        )}
      </div>
      {photo?.shrunkFrom && <p class="small">{words.shrunk(...photo.shrunkFrom)}</p>}
    </li>
  );
}
