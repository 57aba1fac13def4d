import type { Words } from './en.ts';

/** Every sentence of the page in Chinese. */
export const zh: Words = {
  title: 'Whylight：网络在看什么？',
  description: '在浏览器中用六十种方法解释任何 ONNX 图像分类模型，不上传任何内容。',
  tagline: '网络在看什么？',
  skip: '跳到解释图',
  language: '语言',
  withoutScript: '这是预先记录的结果。启用 JavaScript 后，本页会在您自己的电脑上解释您的照片和模型。',
  recorded: '预先记录',
  recordedAbout: '用同一个网络预先记录；引擎就绪后，会在您的电脑上重新计算。',
  live: '在此计算',
  engine: {
    loading: '正在加载引擎……',
    loadingModel: '正在加载网络……',
    ready: (device) => `在此标签页中运行（${device}）`,
    threads: (count) => `${count} 个线程`,
    private: '您的照片和模型不会离开您的电脑。',
    failed: '引擎未能启动，仍显示预先记录的结果。',
  },
  verdict: { says: '网络的判断：', unsure: '它并不确定。', explained: '下图解释的是：' },
  explain: {
    all: '解释',
    allAbout: '用每一种尚未解释当前照片、类别和网络的方法进行解释',
    one: '解释',
    again: '重试',
    stop: '停止',
    waiting: '等待中',
    computing: '计算中……',
    stopped: '已停止。',
    stale: '属于另一个问题',
    none: '尚未计算',
    runs: (count, seconds) =>
      `运行网络 ${count.toLocaleString('zh')} 次${seconds === null ? '' : `，约 ${duration(seconds)}`}`,
    took: (seconds) => duration(seconds),
  },
  photo: {
    heading: '照片',
    choose: '选择照片',
    hint: '也可以把照片拖到页面任意位置，或直接粘贴。',
    alt: (name) => `照片 ${name}`,
    reading: '正在读取照片……',
    shrunk: (width, height) => `本页已将照片从 ${width} × ${height} 缩小：网络只看几百个像素。`,
    gallery: '示例照片',
    names: { coffee: '一杯咖啡', cat: '一只猫', rocket: '一枚火箭', astronaut: '一位宇航员' },
    faults: {
      'not-a-photo': (file) => `${file} 不是照片。请选择 JPEG、PNG、WebP、GIF 或 AVIF 文件。`,
      heic: (file) => `此浏览器无法读取 HEIC（${file}）。请使用 Safari，或将照片导出为 JPEG 后再选择。`,
      undecodable: (file) =>
        `浏览器无法读取 ${file}：文件已损坏，或类型不受支持。请选择 JPEG、PNG 或 WebP 文件。`,
      unreachable: (file) => `无法获取 ${file}。请检查网络连接后重试。`,
    },
  },
  classes: {
    heading: '类别',
    search: '搜索所有类别',
    found: (count) => `${count} 个类别`,
    nothing: (text) => `没有名为“${text}”的类别。`,
    likeliest: '最可能的类别',
    explainThis: (name) => `解释：${name}`,
    computing: '网络正在看照片……',
  },
  model: {
    heading: '网络',
    choose: '打开 ONNX 文件',
    hint: '也可以拖入一个文件夹，其中包含模型、类别名称和 preprocessor_config.json。',
    own: '恢复默认网络',
    opening: '正在检查模型……',
    facts: (classes, works, all) =>
      `${classes.toLocaleString('zh')} 个类别。${all} 种方法中有 ${works} 种适用。`,
    input: '照片如何变成网络的输入',
    from: (source) => `来源：${source}`,
    notes: '说明',
  },
  look: {
    heading: '外观',
    opacity: '颜色强度',
    hidden: '隐藏最弱的',
    backdrop: '背景照片',
    backdrops: { original: '原样', grayscale: '灰度', mask_black: '仅显示起作用处' },
    percent: (value) => `${value} %`,
  },
  legend: {
    heading: '颜色的含义',
    bar: '从最低值到最高值的颜色',
    value: (value) => `此处：${value}`,
    point: '将指针移到图上可读取数值。',
    alt: (method, name) => `${method}：网络为“${name}”所看的位置`,
  },
  methods: {
    add: '更多方法',
    heading: '所有方法',
    search: '搜索方法',
    close: '关闭',
    remove: (title) => `移除 ${title}`,
    shown: '已显示',
    show: '显示',
    paper: '论文',
    unfit: '不适用于此网络',
    groups: {
      layer: ['某一层的图', '最后一层特征图的哪些部分对该类别起作用。'],
      gradient: ['像素的值', '从得分追溯到每一个像素。'],
      perturbation: ['遮挡照片的一部分', '观察得分如何变化；不需要梯度，但很耗时。'],
      attention: ['注意力', '仅适用于 Transformer。'],
    },
    cost: (runs) => `${runs.toLocaleString('zh')} 次运行`,
  },
  take: {
    heading: '导出',
    png: '图片（PNG）',
    npy: '数值（.npy）',
    json: '结果（JSON）',
    onnx: '解释器（.onnx）',
    working: '正在写文件……',
    same: '在别处得到同样的结果',
    copy: '复制',
    copied: '已复制',
    snippets: { cli: '命令行', python: 'Python', typescript: 'TypeScript' },
  },
  footer: '图中显示的是网络使用了什么，并不说明网络是对的。',
};

function duration(seconds: number): string {
  if (seconds < 1) return `${Math.max(Math.round(seconds * 1000), 1)} 毫秒`;
  if (seconds < 90) return `${Math.round(seconds)} 秒`;
  return `${Math.round(seconds / 60)} 分钟`;
}
