import type { JSX } from 'preact';
import type { ModelCard } from '../engine/engine.ts';
import { useWords } from '../words/words.ts';
import { FilePicker } from './file-picker.tsx';
import type { Parts } from './parts.ts';
import { Progress } from './progress.tsx';

/** The network: what it is, what works on it, how photos become its input. */
export function ModelCardView({ session, workbench }: Parts): JSX.Element {
  const words = useWords().model;
  const { model, opening, engine } = session;
  const isReady = engine.phase === 'ready' && workbench !== null;
  return (
    <section aria-labelledby="model-heading">
      <h2 id="model-heading">{words.heading}</h2>
      <p class="model-name">{model?.name ?? 'efficientnet-lite0'}</p>
      {model && (
        <p class="small">
          {words.facts(
            model.classes,
            model.methods.filter(({ works }) => works).length,
            model.methods.length,
          )}
        </p>
      )}
      {engine.phase === 'ready' && engine.facts.place === 'service' ? (
        <ServiceModels names={engine.facts.models} session={session} workbench={workbench} />
      ) : (
        <>
          <FilePicker
            label={words.choose}
            accept=".onnx,.json,.csv,.txt,.data,.bin"
            multiple
            disabled={!isReady}
            onFiles={(files) => files.length > 0 && void workbench?.chooseModel({ files })}
          />
          {model && model.name !== 'efficientnet-lite0' && (
            <button type="button" onClick={() => void workbench?.chooseModel('default')}>
              {words.own}
            </button>
          )}
          <p class="small">{words.hint}</p>
        </>
      )}
      {opening.phase === 'running' && isReady && (
        <p class="small">
          <span role="status">{words.opening}</span> <Progress label={words.opening} part={opening.part} />
        </p>
      )}
      {opening.phase === 'failed' && (
        <p class="fault" role="alert">
          {opening.message}
        </p>
      )}
      {model?.preprocessing && (
        <details>
          <summary>{words.input}</summary>
          <dl>
            {partsOf(model.preprocessing).map(({ part, value, from }) => (
              <div key={part}>
                <dt>{part.replaceAll('_', ' ')}</dt>
                <dd>
                  {value} <span>{words.from(from)}</span>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {model && model.notes.length > 0 && (
        <details>
          <summary>{words.notes}</summary>
          <ul>
            {model.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** The parts of the preprocessing that this model has, each in a line. */
const partsOf = (preprocessing: NonNullable<ModelCard['preprocessing']>) =>
  Object.entries(preprocessing).flatMap(([part, said]) =>
    said === null || said.value === null
      ? []
      : [{ part, value: [said.value].flat().join(' × '), from: said.from }],
  );

/** The models of the service, to choose from. */
function ServiceModels({
  names,
  session: { model },
  workbench,
}: Parts & { readonly names: readonly string[] }): JSX.Element {
  const words = useWords().model;
  return (
    <>
      <select
        aria-label={words.ofService}
        value={model?.name}
        onChange={({ currentTarget }) => void workbench?.chooseModel({ name: currentTarget.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <p class="small">{words.serviceHint}</p>
    </>
  );
}
