import { layOutPanels, type PanelsLayout } from '@whylight/core/drawing';
import { drawMarks } from './draw-marks.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { measureText } from './text.ts';

export type PanelsInput = PanelsLayout;

/**
 * Renders panels side by side, each with its title and its colour bar.
 *
 * @throws InputError invalid_parameter if a masked panel shall show both signs.
 */
export const renderPanels = async (input: PanelsInput): Promise<RenderedPicture> =>
  drawMarks(layOutPanels(input, measureText));
