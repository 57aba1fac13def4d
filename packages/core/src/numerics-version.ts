/**
 * The version of the arithmetic that computes results. It is part of every question, and so of the key under which a
 * result is stored: a result of another version is never served as a result of this version.
 *
 * Raise it by one in the commit that changes any number that is shown for the same photo, model and request: a score, a
 * prediction, an attribution, a sum or a delta; or a default that decides such a number (a parameter, a layer, the
 * target, how a photo becomes the network's input). For a change in one method alone, raise that method's `version`
 * instead; for a change only of how a picture is drawn, raise the renderer's.
 */
export const numericsVersion = '2';
