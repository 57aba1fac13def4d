import type { Catalog, CatalogModel } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';

/** A model that at least one ready worker has. */
export interface OfferedModel extends CatalogModel {
  /** True if some ready workers do not have it: a new release is being rolled out. */
  readonly updating?: true;
}

/** What the service offers. */
export interface OfferedCatalog extends Catalog {
  readonly models: OfferedModel[];
}

/**
 * Merges the catalogues of all ready workers. The models that most workers have come first, so that a name means the same model
 * for as long as possible while a release is rolled out. The default is the first model that any worker has as its default.
 *
 * @returns null if there is no catalogue
 */
export function mergeCatalogs(catalogs: readonly Catalog[]): OfferedCatalog | null {
  const [device] = byFrequency(catalogs.map((catalog) => catalog.device));
  if (device === undefined) return null;
  const groups = Map.groupBy(
    catalogs.flatMap(({ models }) => models),
    ({ name, digest, preprocessing }) => `${name} ${digest} ${preprocessing}`,
  );
  // The sort is stable: of models that equally many workers have, the order of their catalogues stays.
  const models = [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((entries) => mergeEntries(entries, entries.length < catalogs.length));
  const first = models.findIndex((model) => model.default);
  return { device, models: models.map((model, index) => ({ ...model, default: index === first })) };
}

/**
 * A job may go to any of the workers. So a method works only if no worker has found that it does not; and it has been run as soon as
 * one worker has run it.
 */
function mergeEntries(entries: readonly CatalogModel[], updating: boolean): OfferedModel {
  const [first] = entries as readonly [CatalogModel];
  const ids = [...new Set(entries.flatMap(({ methods }) => Object.keys(methods)))];
  const reasonOf = (id: string): string | null => {
    const reasons = entries.map(({ methods }) => getOwn(methods, id));
    const found = reasons.find((reason) => typeof reason === 'string');
    return found ?? (reasons.includes(undefined) ? 'some workers do not have it' : null);
  };
  const notRun = Object.entries(first.not_run ?? {}).filter(([id]) =>
    entries.every(({ not_run = {} }) => Object.hasOwn(not_run, id)),
  );
  return {
    ...first,
    default: entries.some((entry) => entry.default),
    methods: Object.fromEntries(ids.map((id) => [id, reasonOf(id)])),
    ...(first.not_run && { not_run: Object.fromEntries(notRun) }),
    ...(updating && { updating }),
  };
}

/** The values without repetition, the most frequent first; of equally frequent ones, in the order of the alphabet. */
function byFrequency(values: readonly string[]): string[] {
  const groups = [...Map.groupBy(values, (value) => value).values()];
  return groups.sort((a, b) => b.length - a.length || (a[0]! < b[0]! ? -1 : 1)).map(([value]) => value!);
}
