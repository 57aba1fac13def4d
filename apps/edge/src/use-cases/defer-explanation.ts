import { computeUnits } from '../domain/compute-units.ts';
import { type Creation, styleOf, timesOf } from '../domain/creation.ts';
import { explanationQuestion, questionWithoutModel } from '../domain/question.ts';
import { LimitRefusal, Refusal } from '../domain/refusal.ts';
import type { Admission } from '../domain/run.ts';
import { unresolvedRun, unresolvedVia } from '../domain/unresolved.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import { chooseOwnModel } from './choose-model.ts';
import { findWebhook } from './creation.ts';
import { findArrived, findPhoto } from './find-photo.ts';

/** The shape of input by which an unresolved explanation is charged: that of most networks. */
const usualInput = [3, 224, 224];

/**
 * Accepts an explanation while no worker has told which models there are. Everything that can be checked without a model is
 * checked now. `UnresolvedExplanation` creates the explanation proper as soon as there is a catalog.
 */
export async function deferExplanation(
  services: Services,
  creation: Creation,
): Promise<{ row: ExplanationRow; admission: Admission }> {
  const { id, tenant, requestId, asked } = creation;
  const photo = await findPhoto(services, tenant, asked.input);
  const own = await chooseOwnModel(services, tenant, asked.model);
  const question = own
    ? explanationQuestion(asked, photo.sha256, own)
    : questionWithoutModel(asked, photo.sha256);
  if (asked.webhook !== undefined) await findWebhook(services, tenant, asked.webhook);
  const [, waiting] = await Promise.all([findArrived(services, tenant, photo), services.backlog.count()]);
  if (waiting >= services.settings.BACKLOG_LIMIT)
    throw new Refusal('capacity', 'Too many computations are waiting. Try again in a moment.');
  const run = unresolvedRun(creation, question, computeUnits(question, own?.input_shape ?? usualInput));
  const created = await services.unresolvedExplanation(id).create(creation, run);
  if ('policy' in created) throw new LimitRefusal(created);
  const via = unresolvedVia(creation);
  const fields = {
    id,
    tenant,
    // Unlike those of resolved rows, this key is of no computation: rows with one key share a result.
    key: id,
    run: created.number,
    cache_status: via,
    model_name: own?.name ?? asked.model ?? '',
    model_id: own?.id ?? null,
    request_id: requestId,
    expires_at: new Date(timesOf(creation).keepUntil).toISOString(),
    style: styleOf(asked),
    metadata: asked.metadata,
  };
  const row = await services.explanations.create(fields, null);
  return { row: row!, admission: { run: created, via } };
}
