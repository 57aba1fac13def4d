import type { Legend } from '@whylight/core/drawing';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { inTurn, show, showBar } from '../drawing/canvas.ts';
import { drawResult, valueAt, valuesIn } from '../drawing/draw-result.ts';
import { pictureOf } from '../photo/pixels.ts';
import type { Look, Shown } from '../state/session.ts';
import { nameOf, useLanguage, useWords } from '../words/words.ts';
import { Crosshair, type Point } from './crosshair.tsx';
import { LegendView } from './legend-view.tsx';

interface Props {
  readonly title: string;
  readonly shown: Extract<Shown, { readonly kind: 'computed' }>;
  readonly look: Look;
  readonly stale: boolean;
  /** The point whose value is read; null where the pointer is on no map of this photo. */
  readonly point: Point | null;
  readonly onPoint: (point: Point | null) => void;
}

/** As many pixels as a tile shows on a screen of two pixels to a point. */
const longest = 640;

/** A result over its photo, drawn in the page, with its legend. */
export function ComputedMap({ title, shown, look, stale, point, onPoint }: Props): JSX.Element {
  const { result, photo } = shown;
  const words = useWords();
  const language = useLanguage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const bar = useRef<HTMLCanvasElement>(null);
  const [legend, setLegend] = useState<Legend | null>(null);
  const picture = useMemo(() => pictureOf(photo, longest), [photo]);
  const values = useMemo(() => valuesIn(result), [result]);
  useEffect(() => {
    let isWanted = true;
    inTurn(() => {
      if (!isWanted || !canvas.current || !bar.current) return;
      const painted = drawResult(result, photo, picture, look, language);
      show(canvas.current, painted.explained);
      showBar(bar.current, painted.bar(1, 256));
      setLegend(painted.legend);
    });
    return () => {
      isWanted = false;
    };
  }, [result, photo, picture, look, language]);

  const value = point && valueAt(values, result.region, point.x, point.y);
  return (
    <>
      <div class="picture">
        <canvas
          ref={canvas}
          role="img"
          aria-label={words.legend.alt(title, nameOf(result.target, language))}
          width={picture.width}
          height={picture.height}
        />
        <Crosshair label={words.legend.read(title)} photo={photo} point={point} onPoint={onPoint} />
        {stale && <span class="badge">{words.explain.stale}</span>}
      </div>
      <LegendView legend={legend} bar={bar} value={value ?? null} warnings={result.warnings} />
    </>
  );
}
