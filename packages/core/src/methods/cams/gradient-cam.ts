import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod, type Method, type MethodOf } from '../method.ts';
import {
  type CamParams,
  camDefaults,
  camOnly,
  camOutput,
  type Evidence,
  evidenceMaps,
  evidenceParams,
} from '../shared/cam.ts';

/** What such a method has of its own. */
type Own = Pick<MethodOf<CamParams>, 'id' | 'title' | 'summary' | 'paper' | 'conventions'> &
  Partial<MethodOf<CamParams>>;

/**
 * A class activation map that is a function of a layer's activations and their gradient:
 *
 *     map = ReLU(Σ_k evidence(A, ∂y_c/∂A)_k)
 */
export const gradientCam = (own: Own, evidence: Evidence): Method =>
  defineMethod<CamParams>({
    version: '1',
    kind: 'map',
    needs: ['gradient', 'layer'],
    parameters: z.strictObject(evidenceParams),
    defaults: camDefaults,
    only: camOnly,
    explain: (subject, setting) => camOutput(evidenceMaps(subject, setting, evidence), setting),
    ...own,
  });

/** Σ over channels of maps [N, C, h, w] that are weighted with [N, C, 1, 1]: [N, h, w]. */
export const weighted = (weights: Expression, maps: Expression): Expression =>
  weights.mul(maps).sum([1], false);
