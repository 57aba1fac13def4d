import { stripVTControlCharacters } from 'node:util';
import type { LogLine } from './child.ts';

/** A log without wrangler's remarks on the configuration, which is ours and not the reader's; and without its colours. */
export function withoutRemarks(log: LogLine): LogLine {
  let remark = false;
  return (source, line) => {
    const text = stripVTControlCharacters(line).trimEnd();
    // What belongs to a remark is indented under it.
    remark = /^\W*\[WARNING\] Processing .* configuration:$/.test(text) || (remark && /^\s/.test(text));
    if (!remark) log(source, text);
  };
}
