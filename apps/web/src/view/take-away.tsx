import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session, Shown } from '../state/session.ts';
import { download } from '../take-away/download.ts';
import { jsonOf, npyOf } from '../take-away/files.ts';
import { pngOf } from '../take-away/png.ts';
import { useLanguage, useWords } from '../words/words.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { Snippets } from './snippets.tsx';

interface Props {
  readonly shown: Extract<Shown, { readonly kind: 'computed' }>;
  readonly session: Session;
  readonly title: string;
  readonly workbench: Workbench | null;
}

/** What of a result can be saved, and how to get the same elsewhere. */
export function TakeAway({ shown, session, title, workbench }: Props): JSX.Element {
  const words = useWords().take;
  const language = useLanguage();
  const [fault, setFault] = useState<string | null>(null);
  const [isWriting, setWriting] = useState(false);
  const { result, photo } = shown;
  const name = `${photo.name.replace(/\.[^.]+$/, '')}-${result.method}`;
  const save = (end: string, write: () => Promise<Blob> | Blob) => async () => {
    setFault(null);
    setWriting(true);
    try {
      download(await write(), `${name}.${end}`);
    } catch (error) {
      setFault((error as Error).message);
    } finally {
      setWriting(false);
    }
  };
  const files = [
    [words.png, save('png', () => pngOf(shown, session.look, language, title))],
    [words.npy, save('npy', () => npyOf(result))],
    [words.json, save('json', () => jsonOf(shown, session))],
    ...(result.explanation
      ? []
      : [
          [
            words.onnx,
            save('onnx', async () => new Blob([await workbench!.compile(result.method)])),
          ] as const,
        ]),
  ] as const;
  return (
    <details class="take">
      <summary>{words.heading}</summary>
      <div class="files">
        {files.map(([label, press]) => (
          <button key={label} type="button" disabled={isWriting || !workbench} onClick={press}>
            {label}
          </button>
        ))}
      </div>
      {isWriting && (
        <p class="small" role="status">
          {words.working}
        </p>
      )}
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <Snippets shown={shown} session={session} />
    </details>
  );
}
