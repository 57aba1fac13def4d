/** The network that comes along. Its digest is checked, and by it the browser keeps the network. */
export const defaultModel = {
  url: './models/efficientnet-lite0.onnx',
  beside: ['./models/efficientnet-lite0.json', './models/labels.csv'],
  sha256: '4e6e29aec92f5a027c98eb0adf6ea07bf672b12836c1957b43fd8290e413fff5',
};
