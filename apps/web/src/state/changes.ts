import type { Classes, EngineFacts, ModelCard, Result } from '../engine/engine.ts';
import type { Photo } from '../photo/photo.ts';
import type { Language, Look, PhotoFailure, Question } from './session.ts';

/** Everything that can happen to a session. Answers carry the number of the request that they answer. */
export type Change =
  | { readonly type: 'language'; readonly language: Language }
  | { readonly type: 'engine-loading'; readonly what: 'engine' | 'model'; readonly part: number | null }
  | { readonly type: 'engine-ready'; readonly facts: EngineFacts }
  | { readonly type: 'engine-failed'; readonly message: string }
  | { readonly type: 'key-checking'; readonly request: number }
  | { readonly type: 'key-accepted'; readonly request: number }
  | {
      readonly type: 'key-failed';
      readonly request: number;
      readonly message: string;
      readonly isKey: boolean;
    }
  /** A key that the service took before. */
  | { readonly type: 'key-expired'; readonly message: string }
  | { readonly type: 'model-opening'; readonly request: number; readonly part: number | null }
  | { readonly type: 'model-opened'; readonly request: number; readonly model: ModelCard }
  | { readonly type: 'model-failed'; readonly request: number; readonly message: string }
  | { readonly type: 'photo-reading'; readonly request: number }
  | { readonly type: 'photo-read'; readonly request: number; readonly photo: Photo }
  | { readonly type: 'photo-failed'; readonly request: number; readonly failure: PhotoFailure }
  | { readonly type: 'classes-asked'; readonly request: number }
  | {
      readonly type: 'classes-answered';
      readonly request: number;
      readonly of: Pick<Question, 'photo' | 'model'>;
      readonly classes: Classes;
    }
  | { readonly type: 'classes-failed'; readonly request: number; readonly message: string }
  | { readonly type: 'target'; readonly target: number | null }
  | { readonly type: 'method-added'; readonly method: string }
  | { readonly type: 'method-removed'; readonly method: string }
  | { readonly type: 'tile-asked'; readonly method: string; readonly request: number }
  | {
      readonly type: 'tile-progress';
      readonly method: string;
      readonly request: number;
      readonly part: number;
    }
  | {
      readonly type: 'tile-reached';
      readonly method: string;
      readonly request: number;
      readonly isReached: boolean;
    }
  | {
      readonly type: 'tile-answered';
      readonly method: string;
      readonly request: number;
      readonly question: Question;
      readonly photo: Photo;
      readonly result: Result;
    }
  | {
      readonly type: 'tile-failed';
      readonly method: string;
      readonly request: number;
      readonly message: string;
    }
  | { readonly type: 'tile-stopped'; readonly method: string }
  | { readonly type: 'look'; readonly look: Partial<Look> };
