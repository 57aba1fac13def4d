import type { Sign } from './attribution.ts';
import type { PanelMethod } from './panel.ts';
import type { Unit } from './scale.ts';

/** The words that stand on pictures, in the languages of the class names. */

export type Language = 'en' | 'zh';

interface Words {
  readonly predicted: string;
  readonly target: string;
  readonly for: string;
  readonly against: string;
  readonly units: Readonly<Record<Unit, string>>;
  readonly endsAtPercentile: (percentile: number) => string;
  readonly endsAtLargest: string;
  readonly contour: string;
  readonly hidden: (percentile: number) => string;
  readonly saw: (percent: string) => string;
  readonly panels: Readonly<Record<PanelMethod | 'show_cam_on_image' | 'deprocess_image', string>>;
  readonly signs: Readonly<Record<Sign, string>>;
  readonly panelTitle: (panel: string, sign: string) => string;
}

export const wordsOf: Readonly<Record<Language, Words>> = {
  en: {
    predicted: 'Pred: ',
    target: 'Target: ',
    for: 'for',
    against: 'against',
    units: {
      score: 'Unit: what each pixel adds to the score',
      share: 'Unit: share of the largest value of this map',
      own: "Unit: the method's own",
    },
    endsAtPercentile: (percentile) => `Strongest colour from percentile ${percentile} of the magnitudes on`,
    endsAtLargest: 'Strongest colour: the largest magnitude',
    contour: 'Line: half of the strongest colour',
    hidden: (percentile) => `Hidden: the weakest ${percentile} % of the values`,
    saw: (percent) => `The model saw ${percent} of this photo`,
    panels: {
      original_image: 'Original image',
      heat_map: 'Heat map',
      blended_heat_map: 'Blended heat map',
      masked_image: 'Masked image',
      alpha_scaling: 'Alpha scaling',
      show_cam_on_image: 'Map over the image',
      deprocess_image: 'Each channel around grey',
    },
    signs: { all: 'for and against', positive: 'for', negative: 'against', absolute: 'magnitude' },
    panelTitle: (panel, sign) => `${panel} (${sign})`,
  },
  zh: {
    predicted: '预测：',
    target: '目标：',
    for: '支持',
    against: '反对',
    units: {
      score: '单位：每个像素对得分的贡献',
      share: '单位：占本图最大值的比例',
      own: '单位：该方法自身的单位',
    },
    endsAtPercentile: (percentile) => `颜色最深处：绝对值的第 ${percentile} 百分位及以上`,
    endsAtLargest: '颜色最深处：最大的绝对值',
    contour: '线：颜色强度的一半',
    hidden: (percentile) => `已隐藏：最弱的 ${percentile} % 的值`,
    saw: (percent) => `模型只看到了这张照片的 ${percent}`,
    panels: {
      original_image: '原图',
      heat_map: '热力图',
      blended_heat_map: '叠加热力图',
      masked_image: '掩膜图',
      alpha_scaling: '透明度图',
      show_cam_on_image: '叠加图',
      deprocess_image: '以灰色为中心的各通道',
    },
    signs: { all: '正负贡献', positive: '正贡献', negative: '负贡献', absolute: '贡献绝对值' },
    panelTitle: (panel, sign) => `${panel}（${sign}）`,
  },
};
