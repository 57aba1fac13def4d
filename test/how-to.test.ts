import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// What the how-to pages say is run as it stands there: Python blocks by WHYLIGHT_PYTHON, shell blocks with `./run whylight`
// being this command line. Where that Python lacks the tools, a page is skipped, and says so.

const repository = join(import.meta.dirname, '..');
const command = join(repository, 'apps/cli/src/index.ts');
const python = process.env.WHYLIGHT_PYTHON ?? 'python3';

/** A page, the modules that it needs, and what its reader has already: a trained network, here one with random weights. */
const pages = [
  { page: 'from-pytorch', modules: ['torch', 'torchvision', 'onnxscript'], before: '' },
  { page: 'from-keras', modules: ['keras', 'tensorflow', 'tf2onnx'], before: '' },
  {
    page: 'from-huggingface',
    modules: ['torch', 'transformers', 'optimum.exporters.onnx'],
    before: `
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor
config = ViTConfig(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96, num_labels=3)
config.id2label = {0: "tabby cat", 1: "barn owl", 2: "red fox"}
ViTForImageClassification(config).save_pretrained("my-classifier")
ViTImageProcessor().save_pretrained("my-classifier")`,
  },
  {
    page: 'from-ultralytics',
    modules: ['ultralytics', 'onnxscript'],
    before: `
from ultralytics import YOLO
YOLO("yolo11n-cls.yaml").save("best.pt")`,
  },
  { page: 'run-in-python', modules: ['numpy', 'onnxruntime', 'PIL'], before: '' },
];

interface Block {
  readonly language: 'python' | 'sh';
  readonly text: string;
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(repository, `docs/how-to/${page}.md`), 'utf8');
  const blocks = text.matchAll(/^```(python|sh)\n(.*?)^```$/gms);
  return [...blocks].map(([, language, block]) => ({
    language: language as Block['language'],
    text: block!,
  }));
}

/** Those of the modules that this Python does not find; all, where there is no Python. */
function missing(modules: readonly string[]): readonly string[] {
  const script = `
import sys
from importlib.util import find_spec
def found(name):
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
print(*[name for name in sys.argv[1:] if not found(name)])`;
  const { status, stdout } = spawnSync(python, ['-c', script, ...modules], { encoding: 'utf8' });
  return status === 0 ? stdout.split(/\s+/).filter(Boolean) : modules;
}

describe.each(pages)('the page docs/how-to/$page', ({ page, modules, before }) => {
  const absent = missing(modules);
  if (absent.length > 0) console.warn(`${python} lacks ${absent.join(', ')}: ${page}.md is not run`);
  let directory: string;

  /** Runs a block in the directory; the programs beside Python, such as optimum-cli, are found. */
  const run = ({ language, text }: Block) => {
    const [file, args] =
      language === 'python'
        ? [python, ['-c', text]]
        : ['bash', ['-euc', text.replaceAll('./run whylight', 'whylight')]];
    const path = [join(directory, 'bin'), dirname(python), dirname(process.execPath), process.env.PATH].join(
      delimiter,
    );
    const env = {
      ...process.env,
      PATH: path,
      YOLO_AUTOINSTALL: 'false',
      HF_HUB_OFFLINE: '1',
      CUDA_VISIBLE_DEVICES: '',
    };
    return promisify(execFile)(file, args, { cwd: directory, env, maxBuffer: 1 << 26 });
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'whylight-how-to-'));
    await mkdir(join(directory, 'bin'));
    const program = `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`;
    await writeFile(join(directory, 'bin/whylight'), program, { mode: 0o755 });
    await copyFile(join(repository, 'apps/cli/photos/coffee.jpg'), join(directory, 'photo.jpg'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.skipIf(absent.length > 0)(
    'runs as it stands there, and a picture lies where it says',
    async () => {
      const blocks = await blocksOf(page);
      expect(blocks.length).toBeGreaterThan(0);
      if (before) await run({ language: 'python', text: before });
      for (const block of blocks) await run(block);
      const picture = page === 'run-in-python' ? 'overlay.png' : 'out/overlay.png';
      expect((await stat(join(directory, picture))).size).toBeGreaterThan(1000);
    },
    600_000,
  );
});
