import { type Operators, other } from './operator.ts';
import { statesShape } from './shape/recurrent.ts';

export const recurrent = {
  RNN: other({ since: 18, shape: statesShape(1) }),
  GRU: other({ since: 18, shape: statesShape(1) }),
  LSTM: other({ since: 18, shape: statesShape(2) }),
} satisfies Operators;
