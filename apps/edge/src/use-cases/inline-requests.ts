import {
  type Artifact,
  type Explanation,
  type ExplanationAsked,
  explanationRequestSchema,
  type Result,
  sha256Hex,
} from '@whylight/contract';
import { type FloatArray, readFloats } from '../domain/float-array.ts';
import { type InlinePhoto, readInlinePhoto, type SentPhoto } from '../domain/inline-photo.ts';
import { refusalOfJob } from '../domain/job-refusal.ts';
import type { Explainable } from '../domain/model.ts';
import { longestWait } from '../domain/prefer.ts';
import { explanationQuestion } from '../domain/question.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Run } from '../domain/run.ts';
import { newId } from '../domain/ulid.ts';
import { refusalOf } from '../domain/validation.ts';
import type { Services } from '../services.ts';
import type { Caller } from '../storage/tenants.ts';
import { awaitCatalog } from './await-catalog.ts';
import { chooseModel } from './choose-model.ts';
import { createExplanation } from './creation.ts';
import { uploadInline } from './inline-upload.ts';
import { predict } from './predict.ts';
import { present, readExplanation } from './read-explanation.ts';

/** Who sends a request with photos in its body. */
export interface Sender {
  readonly services: Services;
  readonly caller: Caller;
  readonly requestId: string;
}

export interface Wish {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface InlineExplanation {
  readonly explanation: Explanation;
  readonly run: Run;
}

type HashedPhoto = InlinePhoto & { readonly sha256: string };

/** The model that a request with photos names. */
export interface Chosen {
  readonly reference: string;
  readonly model: Explainable;
  /** Unix time in milliseconds until which the request waits for its answer. */
  readonly until: number;
}

/** Finds the model, waiting up to a minute for the first worker. @throws Refusal */
export async function chooseInlineModel(
  { services, caller: { tenant, scopes } }: Sender,
  reference: string,
): Promise<Chosen> {
  if (!scopes.includes('uploads:write'))
    throw new Refusal('insufficient_scope', 'The API key lacks the scope uploads:write.');
  const until = Date.now() + longestWait * 1000;
  await awaitCatalog(services, `${tenant}/compat`, longestWait);
  return { reference, model: await chooseModel(services, tenant, reference), until };
}

/**
 * Creates an explanation for each photo, and waits for all of them, a minute at most. What is wrong with the question or any
 * photo is found before anything is stored.
 *
 * @throws Refusal
 */
export async function explainInline(
  sender: Sender,
  { reference, model, until }: Chosen,
  sent: readonly SentPhoto[],
  { method, parameters }: Wish,
): Promise<InlineExplanation[]> {
  const { services, caller, requestId } = sender;
  const { tenant } = caller;
  const photos = await readPhotos(sent);
  const wish = (input: object) => parseWish({ input, model: reference, method, parameters });
  for (const { sha256 } of photos) explanationQuestion(wish({ sha256 }), sha256, model);
  const answers: Promise<InlineExplanation>[] = [];
  for (const photo of photos) {
    const upload = await uploadInline(services, tenant, photo);
    const creation = {
      id: newId('exp'),
      tenant,
      requestId,
      asked: wish({ upload: upload.id }),
      fresh: false,
      requestedAt: Date.now(),
      cancelAfter: null,
    };
    const { row, admission } = await createExplanation(services, creation);
    const left = Math.max(0, until - Date.now()) / 1000;
    const answer = readExplanation(services, row, left, admission.run).then((now) => {
      if (now.run.error) throw refusalOfJob(now.run.error);
      if (now.run.status !== 'succeeded')
        throw new Refusal('capacity', 'The explanation has not ended yet. Send the request again to get it.');
      return { explanation: present(now), run: now.run };
    });
    // Promise.all below reports the error, once all explanations have begun.
    answer.catch(() => {});
    answers.push(answer);
  }
  return Promise.all(answers);
}

/** Predicts the classes of each photo, as `explainInline` explains them. @throws Refusal */
export async function predictInline(
  sender: Sender,
  { model, until }: Chosen,
  sent: readonly SentPhoto[],
): Promise<Result[]> {
  const { services, caller, requestId } = sender;
  const { tenant } = caller;
  const answers: Promise<Result>[] = [];
  for (const photo of await readPhotos(sent)) {
    const upload = await uploadInline(services, tenant, photo);
    const asked = { tenant, requestId, model, until, photo: { upload: upload.id, sha256: photo.sha256 } };
    const answer = predict(services, asked).then(({ result }) => result);
    answer.catch(() => {});
    answers.push(answer);
  }
  return Promise.all(answers);
}

const readPhotos = (sent: readonly SentPhoto[]): Promise<HashedPhoto[]> =>
  Promise.all(
    sent.map(readInlinePhoto).map(async (photo) => ({ ...photo, sha256: await sha256Hex(photo.bytes) })),
  );

/** Checks a request that we have built. @throws Refusal for numbers of the body that no request accepts, such as 1e999 */
function parseWish(wish: unknown): ExplanationAsked {
  const { success, data, error } = explanationRequestSchema.safeParse(wish);
  if (success) return data;
  throw refusalOf(error, wish);
}

/** Larger pictures, or more of them in one answer, stay in the store: a Worker has little memory. */
const largestFile = 4_194_304;
const largestFiles = 16_777_216;

const artifactOf = (run: Run, name: Artifact['name']): Artifact =>
  run.artifacts.find((artifact) => artifact.name === name)!;

/** Whether an answer that carries `count` files may carry one as large as this. */
const hasRoomFor = ({ bytes }: Artifact, count: number): boolean =>
  bytes <= Math.min(largestFile, largestFiles / count);

/** Gives the overlay, one of `count`, or the heat map if the overlay is too large. */
function pictureOf(run: Run, count: number): Artifact {
  const overlay = artifactOf(run, 'overlay.png');
  return hasRoomFor(overlay, count) ? overlay : artifactOf(run, 'heatmap.png');
}

/** Reads the picture of each explanation, in base 64. @throws Refusal `storage_unavailable` */
export const withPictures = (
  { objects }: Services,
  explained: readonly InlineExplanation[],
): Promise<{ explanation: Explanation; overlay: string }[]> =>
  Promise.all(
    explained.map(async ({ explanation, run }) => ({
      explanation,
      overlay: await objects.base64(pictureOf(run, explained.length).object),
    })),
  );

/** Reads the attribution of each explanation, and its picture if it is wanted. @throws Refusal */
export const withArrays = (
  { objects }: Services,
  explained: readonly InlineExplanation[],
  wantsPictures: boolean,
): Promise<{ explanation: Explanation; attribution: FloatArray; overlay: Uint8Array | null }[]> =>
  Promise.all(
    explained.map(async ({ explanation, run }) => {
      const array = artifactOf(run, 'attribution.npy');
      if (!hasRoomFor(array, explained.length))
        throw new Refusal(
          'payload_too_large',
          `The attributions are too large for one answer. Send fewer photos, or get each at /v1/explanations/${explanation.id}/artifacts/${array.name}.`,
        );
      const [file, overlay] = await Promise.all([
        objects.read(array.object),
        wantsPictures ? objects.read(pictureOf(run, explained.length).object) : null,
      ]);
      return { explanation, attribution: readFloats(file), overlay };
    }),
  );
