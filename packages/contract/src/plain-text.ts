import { z } from 'zod';

// Control characters (a terminal obeys some of them), line separators, and the marks that change the direction of a text.
// Names are printed in terminals, logs and pages; a name with one of these could hide or forge what stands beside it.
const lineBreaksAndTabs = '\\t\\n\\r';
const controls = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';
const directions = '\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';

const expected = 'Expected no control characters, no terminal escapes and no marks of text direction.';
const oneLine = new RegExp(`^[^${controls}${lineBreaksAndTabs}${directions}]*$`);
const ofNames = new RegExp(`^(?=.*\\S)[^${controls}${lineBreaksAndTabs}${directions}]*$`);
const ofLines = new RegExp(`^[^${controls}${directions}]*$`);

/** A text of one line that contains nothing that a terminal or a page would obey. */
export const plainText = (most: number, least = 1) =>
  z.string().min(least).max(most).regex(oneLine, expected);

/** A name that somebody gives: spaces around it do not count, and something must be left. */
export const givenName = (most: number) => z.string().trim().min(1).max(most).regex(ofNames, expected);

/** The same as `plainText`, of any number of lines. */
export const plainLines = (most: number) => z.string().max(most).regex(ofLines, expected);
