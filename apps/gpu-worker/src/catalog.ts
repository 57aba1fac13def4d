import type { Catalog, CatalogModel } from '@whylight/contract';
import { inspectClassifier, readClassifier } from '@whylight/core';
import { type ModelRegistry, namesFor, type RegisteredModel, readingOf } from '@whylight/host';
import { knownLayers } from './layer-names.ts';
import { factsOf } from './verdicts.ts';

const notRunYet = { works: null, reason: 'not run on this worker yet' };

/** Lists what can be explained, judged by the files, the default first. @throws InputError for an unusable model */
export async function createCatalog(registry: ModelRegistry, device: string): Promise<Catalog> {
  const models: CatalogModel[] = [];
  for (const model of registry.list()) models.push(await entryOf(model, models.length === 0));
  return { device, models };
}

async function entryOf(model: RegisteredModel, first: boolean): Promise<CatalogModel> {
  const classifier = readClassifier(await model.file(), readingOf(model));
  const report = inspectClassifier(classifier);
  return {
    name: model.name,
    digest: model.digest,
    preprocessing: model.preprocessingDigest,
    classes: report.classes,
    input_shape: [...report.input_shape],
    labels: namesFor(model, report.classes).classes?.map(({ en, zh }) => ({ en, zh })) ?? null,
    ...factsOf(report.methods.map((method) => (method.works ? { ...method, ...notRunYet } : method))),
    layers: knownLayers(model, classifier),
    task: classifier.head.task,
    default: first,
  };
}
