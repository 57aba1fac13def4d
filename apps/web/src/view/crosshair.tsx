import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import type { Photo } from '../photo/photo.ts';

/** A point of the photo, in its pixels. All maps of the photo show the same one. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

interface Props {
  readonly label: string;
  readonly photo: Pick<Photo, 'width' | 'height'>;
  readonly point: Point | null;
  readonly onPoint: (point: Point | null) => void;
}

/** The part of the photo by which an arrow key moves the point. */
const step = 1 / 40;

/** Lies over a map: the pointer, or the arrow keys, choose the point whose value is read. */
export function Crosshair({ label, photo: { width, height }, point, onPoint }: Props): JSX.Element {
  const follow = ({ currentTarget, clientX, clientY }: TargetedPointerEvent<HTMLButtonElement>) => {
    const box = currentTarget.getBoundingClientRect();
    onPoint({
      x: ((clientX - box.left) / box.width) * width,
      y: ((clientY - box.top) / box.height) * height,
    });
  };
  const move = (event: TargetedKeyboardEvent<HTMLButtonElement>) => {
    const [right, down] = moves.get(event.key) ?? [];
    if (event.key === 'Escape') return onPoint(null);
    if (right === undefined || down === undefined) return;
    event.preventDefault();
    const { x, y } = point ?? { x: width / 2, y: height / 2 };
    onPoint({ x: within(x + right * step * width, width), y: within(y + down * step * height, height) });
  };
  return (
    <button
      type="button"
      class="crosshair"
      aria-label={label}
      onPointerMove={follow}
      onPointerLeave={() => onPoint(null)}
      onKeyDown={move}
    >
      {point && (
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={`M${point.x} 0V${height}M0 ${point.y}H${width}`} />
        </svg>
      )}
    </button>
  );
}

const moves = new Map<string, readonly [right: number, down: number]>([
  ['ArrowLeft', [-1, 0]],
  ['ArrowRight', [1, 0]],
  ['ArrowUp', [0, -1]],
  ['ArrowDown', [0, 1]],
]);

const within = (value: number, end: number): number => Math.min(Math.max(value, 0), end - 1);
