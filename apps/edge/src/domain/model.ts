import type {
  CatalogModel,
  Model,
  ModelError,
  ModelFacts,
  ModelManifest,
  ModelReport,
  ModelRequest,
  ModelSource,
} from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import type { OfferedModel } from './offered-catalog.ts';

/** Bytes of one part of a model's upload; S3 takes no part below 5 MiB, except the last. */
export const partBytes = 16 * 2 ** 20;

/** Limits on the models of one tenant. */
export interface ModelAllowance {
  /** Bytes of one model. */
  readonly bytes: number;
  readonly models: number;
  /** Bytes of all models. */
  readonly total: number;
}

export interface ModelRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly sha256: string;
  readonly content_length: number;
  readonly manifest: ModelManifest;
  readonly manifest_sha256: string;
  readonly object: string;
  readonly upload_id: string | null;
  readonly status: Model['status'];
  readonly facts: ModelFacts | null;
  readonly report: ModelReport | null;
  readonly error: ModelError | null;
  readonly created_at: string;
}

/** The data of a model, a tenant's or the service's, that an explanation needs. */
export interface Explainable extends CatalogModel {
  readonly id: string;
  readonly own: boolean;
  readonly deterministic: boolean;
}

export const manifestOf = ({
  labels,
  preprocessing,
  cam_tensor,
  fixed_inputs,
  scores,
  task,
}: ModelRequest): ModelManifest => ({
  labels:
    labels?.map((label) =>
      typeof label === 'string' ? { en: label, zh: null } : { en: label.en, zh: label.zh ?? null },
    ) ?? null,
  preprocessing: preprocessing ?? null,
  cam_tensor: cam_tensor ?? null,
  fixed_inputs: fixed_inputs ?? null,
  scores: scores ?? null,
  ...(task && { task }),
});

/** Divides so many bytes into parts 1, 2, … */
export const partsOf = (bytes: number): { part_number: number; offset: number; bytes: number }[] =>
  Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => ({
    part_number: index + 1,
    offset: index * partBytes,
    bytes: Math.min(partBytes, bytes - index * partBytes),
  }));

export const sourceOf = ({ id, name, object, content_length, sha256, manifest }: ModelRow): ModelSource => ({
  ...{ id, name, object, sha256, manifest },
  bytes: content_length,
});

/** The model for explanations; null until it is ready. */
export function explainable({ id, name, sha256, manifest, facts }: ModelRow): Explainable | null {
  if (!facts) return null;
  const { preprocessing, classes, input_shape, methods, deterministic, layers, task } = facts;
  return {
    ...{ id, name, preprocessing, classes, input_shape, methods, deterministic, layers, task },
    not_run: notRunOf(facts),
    digest: `sha256:${sha256}`,
    labels: manifest.labels,
    own: true,
    default: false,
  };
}

/**
 * Whether a worker ran the model's methods with the present numerics. If another release did, this one promises nothing
 * until a worker has run them again.
 */
export const isCurrent = ({ numerics_version }: ModelFacts): boolean => numerics_version === numericsVersion;

/** The facts of a model that an earlier release accepted and this one refuses: no method works on it. */
export const factsOfRefused = ({ message }: ModelError, facts: ModelFacts): ModelFacts => ({
  ...facts,
  numerics_version: numericsVersion,
  not_run: {},
  methods: Object.fromEntries(Object.keys(facts.methods).map((id) => [id, message])),
});

const notRunOf = (facts: ModelFacts): Readonly<Record<string, string>> =>
  isCurrent(facts)
    ? (facts.not_run ?? {})
    : Object.fromEntries(
        workingMethods(facts.methods).map((id) => [
          id,
          'not run by this release yet: the model is examined again',
        ]),
      );

export const builtIn = (model: CatalogModel): Explainable => ({
  ...model,
  id: model.name,
  own: false,
  deterministic: true,
});

/** A tenant's model as the API shows it. */
export function presentModel(row: ModelRow, upload: Model['upload'] = null): Model {
  const { id, name, status, created_at, content_length, facts, report, error } = row;
  const self = `/v1/models/${id}`;
  return {
    ...{ id, name, status, created_at, content_length, report, error, upload },
    object: 'model',
    digest: `sha256:${row.sha256}`,
    own: true,
    classes: facts?.classes ?? null,
    input_shape: facts?.input_shape ?? null,
    task: facts?.task,
    default: false,
    deterministic: facts?.deterministic ?? null,
    methods: workingMethods(facts?.methods ?? {}),
    not_run: Object.keys(facts ? notRunOf(facts) : {}),
    urls: { self, complete: `${self}/complete`, warm: `${self}/warm` },
  };
}

/** A model that comes with the service, as the API shows it. */
export function presentBuiltIn(model: OfferedModel): Model {
  const { name, digest, classes, input_shape, methods, not_run = {}, task } = model;
  return {
    ...{ name, digest, classes, input_shape, task, default: model.default },
    id: name,
    object: 'model',
    own: false,
    status: model.updating ? 'updating' : 'ready',
    created_at: null,
    content_length: null,
    deterministic: true,
    methods: workingMethods(methods),
    not_run: Object.keys(not_run),
    ...{ report: null, error: null, upload: null },
    urls: { self: `/v1/models/${encodeURIComponent(name)}`, complete: null, warm: null },
  };
}

const workingMethods = (reasons: CatalogModel['methods']): string[] =>
  Object.entries(reasons).flatMap(([id, reason]) => (reason === null ? [id] : []));
