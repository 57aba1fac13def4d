import { sidesOf } from '@whylight/core/image';
import type { PreprocessingReport } from '@whylight/core/preparation';
import type { Result } from '../engine/engine.ts';
import type { Photo } from '../photo/photo.ts';
import type { Session, Shown } from '../state/session.ts';
import { serviceSnippets } from './service-snippets.ts';
import type { Snippet } from './snippet.ts';

/** The same explanation on the command line, from the compiled explainer in Python, and in another page. */
export function snippetsOf(
  { result, photo, question }: Extract<Shown, { readonly kind: 'computed' }>,
  { model }: Pick<Session, 'model'>,
): Snippet[] {
  const { explanation } = result;
  if (explanation) return serviceSnippets(explanation, result.method, result.target.class_index);
  if (!model?.preprocessing) return [];
  const own = model.name === 'efficientnet-lite0' ? null : `${model.name}.onnx`;
  const target = question.target ?? result.target.class_index;
  return [
    { id: 'cli', text: commandLine(result, photo, own, target) },
    { id: 'python', text: python(result, photo, model.preprocessing, target) },
    { id: 'typescript', text: typescript(result, own, target) },
  ];
}

/** A name that a shell takes as it is. */
const shell = (name: string): string => `'${name.replaceAll("'", `'\\''`)}'`;

function commandLine({ method }: Result, { name }: Photo, own: string | null, target: number): string {
  const model = own ? ` --model ${shell(own)}` : '';
  return [
    '# In a clone of the repository',
    `./run whylight explain ${shell(name)}${model} --method ${method} --target ${target} -o out`,
  ].join('\n');
}

/** Reads the photo as the page did: the part that the network saw, at the network's size. */
function python(result: Result, photo: Photo, preprocessing: PreprocessingReport, target: number): string {
  const [width, height] = photo.shrunkFrom ?? [photo.width, photo.height];
  const [across, down] = [width / photo.width, height / photo.height];
  const { x, y, width: w, height: h } = result.region;
  const box = [x * across, y * down, (x + w) * across, (y + h) * down].map((side) => Math.round(side));
  const { size, fit, resize, crop, layout, channels, scale, mean, std } = preprocessing;
  const sides = sidesOf({ size: size.value, fit: fit.value, resize: resize.value, crop: crop.value });
  const [rows, columns] = sides ?? [Math.round(h), Math.round(w)];
  const numbers = (values: readonly number[]) => `np.array([${values.join(', ')}], np.float32)`;
  const isGray = channels.value === 'gray';
  const pixels = `np.asarray(photo, np.float32)${isGray ? '[..., None]' : ''}${channels.value === 'bgr' ? '[..., ::-1]' : ''}`;
  const order = layout.value === 'NCHW' ? '.transpose(2, 0, 1)' : '';
  return `# pip install numpy pillow onnxruntime; save the explainer (.onnx) from this page beside the photo
import numpy as np, onnxruntime
from PIL import Image, ImageOps

photo = ImageOps.exif_transpose(Image.open(${JSON.stringify(photo.name)})).convert("${isGray ? 'L' : 'RGB'}")
photo = photo.crop((${box.join(', ')})).resize((${columns}, ${rows}), Image.BICUBIC)
image = (${pixels} * ${scale.value} - ${numbers(mean.value)}) / ${numbers(std.value)}
session = onnxruntime.InferenceSession(${JSON.stringify(`${photo.name.replace(/\.[^.]+$/, '')}-${result.method}.onnx`)})
feeds = {"image": image${order}[None].astype(np.float32), "class_index": np.array([${target}], np.int64)}
names = [output.name for output in session.get_outputs()]
attribution = dict(zip(names, session.run(names, feeds)))["attribution"]
print(attribution.shape, attribution.min(), attribution.max())`;
}

function typescript({ method }: Result, own: string | null, target: number): string {
  const url = own ?? 'efficientnet-lite0.onnx';
  return `import { startExplainer } from '@whylight/web';

using explainer = await startExplainer();
const model = await explainer.openModel({ url: ${JSON.stringify(`/${url}`)} });
const image = document.querySelector('img')!;
await image.decode();
const answer = await explainer.explain({
  model,
  image,
  method: ${JSON.stringify(method)},
  target: { class_index: ${target} },
});
console.log(answer.target.label, answer.attribution);`;
}
