/**
 * Which release of the arithmetic a result comes from. It is part of every question, and so of the key under which a
 * result is kept: no result of another version is served as one of this.
 *
 * Raise it by one in the commit that changes any number that is shown for the same photo, model and request: a score, a
 * prediction, an attribution, a sum or a delta; or a default that decides one (a parameter, a layer, what is explained,
 * how a photo becomes the network's input). What changes in one method alone raises that method's `version` instead.
 * What changes only how a picture is drawn raises the renderer's.
 */
export const numericsVersion = '2';
