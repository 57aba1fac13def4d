/** Everything that the page shows, in one value. Nothing here draws, computes or waits. */
import type { ColormapName } from '@whylight/core/drawing';
import type { Classes, EngineFacts, ModelCard, Result } from '../engine/engine.ts';
import type { Photo, PhotoFault } from '../photo/photo.ts';
import type { Recorded } from './recorded.ts';

export type Language = 'en' | 'zh';

/** Work that was asked for. Its number tells a late answer from the one that is waited for. */
export type Work =
  | { readonly phase: 'none' }
  | {
      readonly phase: 'running';
      readonly request: number;
      readonly part: number | null;
      /** The service cannot be reached at present; its job goes on. */
      readonly isLost?: boolean;
    }
  | { readonly phase: 'failed'; readonly message: string }
  /** The user stopped it. */
  | { readonly phase: 'stopped' };

export type EngineState =
  /** `part` is null while nothing can be counted. */
  | { readonly phase: 'loading'; readonly what: 'engine' | 'model'; readonly part: number | null }
  | { readonly phase: 'ready'; readonly facts: EngineFacts }
  | { readonly phase: 'failed'; readonly message: string };

/** The service that this page knows, and how far the page has got with a key for it. */
export interface ServiceAccess {
  readonly url: string;
  readonly key:
    | { readonly phase: 'none' | 'accepted' }
    | { readonly phase: 'checking'; readonly request: number }
    /** `isKey`: the service does not take the key; else it did not answer as a service does. */
    | { readonly phase: 'refused'; readonly isKey: boolean; readonly message: string };
}

export type PhotoFailure = { readonly fault: PhotoFault; readonly file: string };

/** What a result answers. It is the present question only if all of this is the same. */
export interface Question {
  readonly photo: number;
  readonly model: number;
  readonly method: string;
  /** A class by its index; null: the likeliest one. */
  readonly target: number | null;
}

export type Shown =
  /** Recorded into the build: a picture, without numbers. */
  | { readonly kind: 'recorded'; readonly question: Question; readonly recorded: Recorded['maps'][number] }
  | {
      readonly kind: 'computed';
      readonly question: Question;
      readonly result: Result;
      readonly photo: Photo;
    };

/** A method in the grid, with its last result, and what it does now. */
export interface Tile {
  readonly method: string;
  readonly shown: Shown | null;
  readonly work: Work;
}

/** How maps are drawn. It changes pictures, and no numbers. */
export interface Look {
  /** Weight of the strongest colour over the photo, 0 to 1. */
  readonly opacity: number;
  /** The weakest values, in percent, that are hidden. */
  readonly hidden: number;
  readonly backdrop: 'original' | 'grayscale' | 'mask_black';
  /** Null: the colours of the method's own kind of values. */
  readonly colormap: ColormapName | null;
}

export interface Session {
  readonly language: Language;
  readonly engine: EngineState;
  /** Null: this page has no service. */
  readonly service: ServiceAccess | null;
  readonly model: ModelCard | null;
  readonly opening: Work;
  /** Null before the first photo is read: the recorded one stands there. */
  readonly photo: Photo | null;
  readonly reading: Work;
  readonly photoFailure: PhotoFailure | null;
  readonly classes: Classes | null;
  /** The photo and the model that the classes are of. */
  readonly classesOf: Pick<Question, 'photo' | 'model'> | null;
  readonly classifying: Work;
  readonly target: number | null;
  readonly tiles: readonly Tile[];
  readonly look: Look;
}

export const none: Work = { phase: 'none' };

export const isSame = (a: Question, b: Question): boolean =>
  a.photo === b.photo && a.model === b.model && a.method === b.method && a.target === b.target;

/** The numbers of the recorded photo and network: the first that the page reads are the same ones. */
export const first = { photo: 1, model: 1 } as const;

export const questionNow = ({ photo, model, target }: Session, method: string): Question => ({
  photo: photo?.number ?? first.photo,
  model: model?.id ?? first.model,
  method,
  target,
});

/** Whether the photo, the model or the target has changed since a tile's picture was computed. */
export const isStale = (session: Session, { method, shown }: Tile): boolean =>
  shown !== null && !isSame(shown.question, questionNow(session, method));

/** Whether the classes are of the present photo and model. */
export const areClassesStale = (session: Session): boolean => {
  const { photo, model } = questionNow(session, '');
  return (
    session.classesOf !== null && (session.classesOf.photo !== photo || session.classesOf.model !== model)
  );
};
