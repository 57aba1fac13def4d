import type { Recorded } from '../state/recorded.ts';
import { first, type Language, none, type Session, type Shown } from '../state/session.ts';
import recordedJson from './recorded.json';

export const recorded: Recorded = recordedJson;

/** The session before anything has loaded: the recorded result. */
export function firstSession(language: Language): Session {
  return {
    language,
    engine: { phase: 'loading', what: 'engine', part: null },
    service: null,
    model: null,
    opening: none,
    photo: null,
    reading: none,
    photoFailure: null,
    classes: { all: recorded.predictions, warnings: [], run: 0 },
    classesOf: first,
    classifying: none,
    target: null,
    tiles: recorded.maps.map((map) => ({ method: map.method, work: none, shown: shownOf(map) })),
    look: { opacity: 0.8, hidden: 0, backdrop: 'original', colormap: null },
  };
}

const shownOf = (map: Recorded['maps'][number]): Shown => ({
  kind: 'recorded',
  question: { ...first, method: map.method, target: null },
  recorded: map,
});
