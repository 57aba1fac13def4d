import type { Catalog, CatalogModel } from '@whylight/contract';
import { InputError, type Runtime } from '@whylight/core';
import { checkModel, type ModelRegistry } from '@whylight/host';
import type { Log } from './telemetry/log.ts';
import { factsOf } from './verdicts.ts';

export interface CatalogCheck {
  readonly registry: ModelRegistry;
  readonly runtime: Runtime;
  /** Seconds that each model may take. */
  readonly budget: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Resolves when no job wants the device. */
  readonly idle: () => Promise<void>;
  readonly onChange: (catalog: Catalog) => void;
}

/**
 * Runs every method on every model of the catalogue while no job wants the device. `onChange` gets the catalogue with the
 * verdicts on each model, as soon as they are there.
 *
 * @throws DeviceError. @throws the signal's reason once it is aborted
 */
export async function checkCatalog(
  catalog: Catalog,
  { registry, runtime, budget, signal, log, idle, onChange }: CatalogCheck,
): Promise<void> {
  let models: readonly CatalogModel[] = catalog.models;
  for (const entry of catalog.models) {
    const model = await registry.get(entry.name);
    await idle();
    signal.throwIfAborted();
    const verdicts = await checkModel(model, runtime, { budget, signal, onMethod: idle }).then(
      ({ report }) => report.methods,
      (error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        return Object.keys(entry.methods).map((id) => ({ id, works: false, reason: error.message }));
      },
    );
    const refused = verdicts.filter(({ works }) => works === false).map(({ id }) => id);
    log('model_checked', { model: entry.name, refused });
    models = models.map((known) => (known === entry ? { ...entry, ...factsOf(verdicts) } : known));
    onChange({ ...catalog, models: [...models] });
  }
}
