import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useWords } from '../words/words.ts';
import type { Point } from './crosshair.tsx';
import { MethodTile } from './method-tile.tsx';
import type { Parts } from './parts.ts';
import { PhotoTile } from './photo-tile.tsx';

export function MethodGrid({
  session,
  workbench,
  onAdd,
}: Parts & { readonly onAdd: () => void }): JSX.Element {
  const words = useWords().methods;
  // All maps show the same point of the photo.
  const [point, setPoint] = useState<Point | null>(null);
  return (
    <ul class="grid">
      <PhotoTile session={session} />
      {session.tiles.map((tile) => (
        <MethodTile
          key={tile.method}
          tile={tile}
          session={session}
          workbench={workbench}
          point={point}
          onPoint={setPoint}
        />
      ))}
      <li class="tile add">
        <button type="button" disabled={!workbench || !session.model} onClick={onAdd}>
          {words.add}
        </button>
      </li>
    </ul>
  );
}
