import type { Judgement } from '@whylight/web';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { agreementsOf } from '../drawing/agreement.ts';
import { isStale, type Session, type Shown } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { Curve } from './curve.tsx';
import { titleOf } from './method-tile-title.ts';
import { Progress } from './progress.tsx';

interface Props {
  readonly shown: Extract<Shown, { readonly kind: 'computed' }>;
  readonly session: Session;
  readonly workbench: Workbench | null;
}

/** What speaks for a map and against it, each with what it does not prove. It ranks no methods: one photo tells too little. */
export function Quality({ shown, session, workbench }: Props): JSX.Element {
  const words = useWords().quality;
  const { result } = shown;
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="quality" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{words.heading}</summary>
      {isOpen && (
        <>
          {!result.explanation && <DeletionTest shown={shown} workbench={workbench} />}
          {result.kind.addsUp && result.convergenceDelta !== null && (
            <p class="small">{words.completeness(result.convergenceDelta.toPrecision(2))}</p>
          )}
          <Agreement shown={shown} session={session} />
        </>
      )}
    </details>
  );
}

function DeletionTest({ shown, workbench }: Omit<Props, 'session'>): JSX.Element {
  const words = useWords().quality;
  const [part, setPart] = useState<number | null>(null);
  const [found, setFound] = useState<Judgement | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const running = useRef<AbortController | null>(null);
  const { result } = shown;
  // Another result has not been judged.
  useEffect(() => {
    setFound(null);
    setFault(null);
    return () => running.current?.abort();
  }, [result]);
  const test = async () => {
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    setFault(null);
    setPart(0);
    try {
      const judgement = await workbench!.judge(shown, { signal, onProgress: setPart });
      if (!signal.aborted) setFound(judgement);
    } catch (error) {
      if (!signal.aborted) setFault((error as Error).message);
    } finally {
      setPart(null);
    }
  };
  return (
    <>
      {found && <Curves found={found} />}
      {part === null && !found && (
        <button type="button" class="start" disabled={!workbench} onClick={() => void test()}>
          {words.test}
        </button>
      )}
      {part !== null && (
        <div class="work">
          <Progress label={words.testing} part={part} />
          <button type="button" onClick={() => running.current?.abort()}>
            {words.stop}
          </button>
        </div>
      )}
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}

/** The part of the pixels at which the sentences compare map and chance. */
const compared = 0.2;

function Curves({ found: { map, chance, score } }: { readonly found: Judgement }): JSX.Element {
  const words = useWords().quality;
  const at = map.fractions.findIndex((fraction) => fraction >= compared);
  const text = (value: number | undefined) =>
    score === 'probability' ? `${((value ?? 0) * 100).toFixed(0)} %` : (value ?? 0).toPrecision(3);
  return (
    <>
      <Curve label={words.deletion} fractions={map.fractions} map={map.deletion} chance={chance.deletion} />
      <p class="small">
        {words.deleted(text(map.deletion[0]), text(map.deletion[at]), text(chance.deletion[at]))}
      </p>
      <Curve
        label={words.insertion}
        fractions={map.fractions}
        map={map.insertion}
        chance={chance.insertion}
      />
      <p class="small">{words.inserted(text(map.insertion[at]), text(chance.insertion[at]))}</p>
      <p class="small">{words.curvesProve}</p>
    </>
  );
}

/** How much the map agrees with the others of the same question. */
function Agreement({ shown, session }: Pick<Props, 'shown' | 'session'>): JSX.Element | null {
  const words = useWords().quality;
  const others = session.tiles.filter(
    (tile) => tile.shown?.kind === 'computed' && tile.shown !== shown && !isStale(session, tile),
  );
  const results = others.map((tile) => (tile.shown as Props['shown']).result);
  const agreements = useMemo(() => agreementsOf(shown.result, results), [shown.result, ...results]);
  if (others.length === 0) return null;
  return (
    <>
      <p class="small">{words.agreement}</p>
      <ul class="agreements">
        {others.map((tile, i) => (
          <li key={tile.method}>
            <span>{titleOf(session, tile)}</span> <span class="value">{agreements[i]!.toFixed(2)}</span>
          </li>
        ))}
      </ul>
      <p class="small">{words.agreementProves}</p>
    </>
  );
}
