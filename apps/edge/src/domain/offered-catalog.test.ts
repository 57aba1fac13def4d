import type { Catalog, CatalogModel } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import { presentBuiltIn } from './model.ts';
import { mergeCatalogs } from './offered-catalog.ts';

const model = (name: string, change: Partial<CatalogModel> = {}): CatalogModel => ({
  name,
  digest: `sha256:${name}`,
  preprocessing: 'sha256:p',
  classes: 2,
  input_shape: [3, 8, 8],
  labels: null,
  methods: { saliency: null },
  default: false,
  ...change,
});
const catalog = (...models: CatalogModel[]): Catalog => ({ device: 'cpu', models });
const first = model('first', { default: true });
const namesAndStatuses = (catalogs: readonly Catalog[]) =>
  mergeCatalogs(catalogs)!.models.map((each) => [each.name, presentBuiltIn(each).status, each.default]);

describe('L6: the catalogue', () => {
  test('of one worker, or of workers that have the same, stays as it is', () => {
    const own = catalog(first, model('second'));
    expect(mergeCatalogs([own])).toEqual(own);
    expect(mergeCatalogs([own, own, own])).toEqual(own);
  });

  test('of no worker is none', () => {
    expect(mergeCatalogs([])).toBeNull();
  });

  test('shows what some workers lack as updating, after what all have', () => {
    const [older, newer] = [catalog(first, model('old')), catalog(model('new'), first)];
    expect(namesAndStatuses([newer, older, older])).toEqual([
      ['first', 'ready', true],
      ['old', 'updating', false],
      ['new', 'updating', false],
    ]);
  });

  test('a name whose file differs between workers means the file that most of them have', () => {
    const changed = model('first', { digest: 'sha256:changed', default: true });
    const merged = mergeCatalogs([catalog(changed), catalog(first), catalog(first)])!;
    expect(
      merged.models.map(({ digest, updating, default: isDefault }) => [digest, updating, isDefault]),
    ).toEqual([
      ['sha256:first', true, true],
      ['sha256:changed', true, false],
    ]);
  });

  test('offers a method that no worker has found to fail, run as soon as one has run it', () => {
    const unrun = { saliency: 'not run yet', rise: 'not run yet' };
    const one = model('m', { methods: { saliency: null, rise: null, lrp: null }, not_run: unrun });
    const two = model('m', {
      methods: { saliency: null, rise: 'no memory' },
      not_run: { rise: 'not run yet' },
    });
    expect(mergeCatalogs([catalog(one), catalog(two)])!.models[0]).toMatchObject({
      methods: { saliency: null, rise: 'no memory', lrp: 'some workers do not have it' },
      not_run: { rise: 'not run yet' },
    });
    expect(mergeCatalogs([catalog(one), catalog(two)])!.models[0]!.not_run).not.toHaveProperty('saliency');
  });

  test('names the device that most workers have', () => {
    const cuda = { ...catalog(first), device: 'cuda' };
    expect(mergeCatalogs([catalog(first), cuda, cuda])!.device).toBe('cuda');
  });
});
