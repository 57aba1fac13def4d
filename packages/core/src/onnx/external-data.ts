import { clearField, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import { type ModelFiles, wholeFile } from '../graph-file.ts';
import { checkRanges, type DataRange, type FilesBeside, rangeOf } from './data-range.ts';
import { EntrySchema, type TensorDef, TensorDefSchema } from './generated/onnx_pb.js';
import { defaultLimits, largestFile } from './limits.ts';
import { invalidData } from './refused-data.ts';
import { type Edit, joined, type Part, spliced } from './splice.ts';
import { type ExternalTensor, survey } from './survey.ts';

/** The most tensors that may lie in other files. */
const most = 100_000;

export interface ExternalDataLimits {
  /** Most bytes of the model and its data, inside and outside its file. */
  readonly bytes?: number | undefined;
  /** Most bytes to put into one file: the limit of a protobuf message. */
  readonly oneFile?: number | undefined;
  /** Fewest bytes for which a weight of a larger model stays outside its file. */
  readonly apart?: number | undefined;
}

/**
 * Reads a model with the data that its tensors keep in files beside it. It becomes one file if that is not too large.
 * The large weights of a larger model stay outside: each is read into memory of its own. A model without data in other
 * files stays as it is, and so do bytes that are no model at all, which `readModel` refuses.
 *
 * @throws InputError model_external_data_forbidden for a file that may not be asked for; invalid_model for a range that
 * is not in the file, is not what the tensor needs, or lies across another's; model_too_large
 */
export function readExternalData(
  bytes: Uint8Array<ArrayBuffer>,
  files: FilesBeside,
  { bytes: limit = defaultLimits.bytes, oneFile = largestFile, apart = 2 ** 20 }: ExternalDataLimits = {},
): ModelFiles {
  const tensors = externalTensors(bytes).map((place) => rewritten(bytes, place));
  if (tensors.length === 0) return wholeFile(bytes);
  const total = sizeWith(bytes, tensors);
  if (total > limit) throw tooLarge('the model and its external data have', total, limit);
  checkRanges(
    tensors.map(({ range }) => range),
    files,
  );
  if (total > oneFile) return readApart(bytes, tensors, files, { oneFile, apart });
  const { whole, rooms } = joined(spliced(bytes, tensors), tensors);
  for (const [i, { range }] of tensors.entries()) fill(rooms[i]!, range, files);
  return wholeFile(whole);
}

/** Keeps a model's large weights outside; smaller weights, and tensors that are no weights, become part of its file. */
function readApart(
  bytes: Uint8Array<ArrayBuffer>,
  tensors: readonly Outside[],
  files: FilesBeside,
  { oneFile, apart }: { readonly oneFile: number; readonly apart: number },
): ModelFiles {
  const weights = new Map<string, Uint8Array<ArrayBuffer>>();
  // Tied weights share the same bytes of the same file, and lie in memory once.
  const known = new Map<string, string>();
  const locationOf = ({ file, offset }: DataRange): string => {
    const key = `${offset} ${file}`;
    const location = known.get(key) ?? `data_${known.size}`;
    known.set(key, location);
    return location;
  };
  const staysOutside = ({ place, range }: Outside) =>
    // A weight lies directly in the model's graph; an attribute's tensor lies deeper.
    place.within.length === 1 && range.length > 0 && range.length >= apart;
  const edits = tensors.map((tensor) =>
    staysOutside(tensor) ? referring(tensor, locationOf(tensor.range)) : tensor,
  );
  const inside = sizeWith(
    bytes,
    tensors.filter((tensor) => !staysOutside(tensor)),
  );
  if (inside > oneFile)
    throw tooLarge('the model has, without the large weights that lie beside it,', inside, oneFile);
  const { whole: file, rooms } = joined(spliced(bytes, edits), edits);
  const data = tensors.map((tensor, i) => {
    const location = staysOutside(tensor) ? locationOf(tensor.range) : undefined;
    const already = location === undefined ? undefined : weights.get(location);
    if (already) return already;
    const target = location === undefined ? rooms[i]! : new Uint8Array(tensor.range.length);
    if (location !== undefined) weights.set(location, target);
    fill(target, tensor.range, files);
    return target;
  });
  const parts = spliced(bytes, tensors).map((part: Part) => (typeof part === 'number' ? data[part]! : part));
  return { bytes: file, weights, parts };
}

function fill(target: Uint8Array, { file, offset, length }: DataRange, files: FilesBeside): void {
  if (length > 0) files.read(file, offset, target);
}

const sizeWith = (bytes: Uint8Array, tensors: readonly Outside[]): number =>
  tensors.reduce((sum, { range }) => sum + range.length, bytes.length);

const tooLarge = (what: string, bytes: number, limit: number): InputError =>
  new InputError('model_too_large', `${what} ${bytes} bytes together, at most ${limit} are allowed`);

/** Finds the tensors whose data lie in other files; bytes that are no model have no such tensors. @throws InputError */
function externalTensors(bytes: Uint8Array): readonly ExternalTensor[] {
  const found: ExternalTensor[] = [];
  try {
    survey(bytes, (tensor) => {
      if (found.push(tensor) > most)
        throw new InputError('model_too_large', `the model keeps more than ${most} tensors in other files`);
    });
  } catch (error) {
    if (error instanceof InputError && error.code === 'invalid_model') return [];
    throw error;
  }
  return found;
}

/** The replacement of a tensor: the tensor without its reference, and room for its data. */
interface Outside extends Edit {
  readonly range: DataRange;
}

function rewritten(bytes: Uint8Array, place: ExternalTensor): Outside {
  const def = parsed(bytes.subarray(place.start, place.end), place.name);
  const range = rangeOf(def, place.name);
  for (const field of ['dataLocation', 'externalData', 'rawData'] as const)
    clearField(def, TensorDefSchema.field[field]);
  return { place, content: toBinary(TensorDefSchema, def), room: range.length, range };
}

/** Keeps a tensor's data outside, under a name that we choose. */
function referring({ place, content }: Outside, location: string): Edit {
  const def = fromBinary(TensorDefSchema, content);
  def.dataLocation = 1;
  def.externalData = [create(EntrySchema, { key: 'location', value: location })];
  return { place, content: toBinary(TensorDefSchema, def), room: 0 };
}

function parsed(bytes: Uint8Array, name: string): TensorDef {
  try {
    return fromBinary(TensorDefSchema, bytes);
  } catch {
    throw invalidData(name, 'it cannot be read');
  }
}
