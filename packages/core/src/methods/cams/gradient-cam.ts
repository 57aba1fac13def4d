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

/** The fields that differ between such methods. */
type Own = Pick<MethodOf<CamParams>, 'id' | 'title' | 'summary' | 'paper' | 'conventions'> &
  Partial<MethodOf<CamParams>>;

/**
 * Makes a method whose class activation map is a function of a layer's activations and their gradient:
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

/** Sums maps [N, C, h, w], weighted with [N, C, 1, 1], over channels: [N, h, w]. */
export const weighted = (weights: Expression, maps: Expression): Expression =>
  weights.mul(maps).sum([1], false);
