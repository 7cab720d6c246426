import { encoded, noPassword, type Reading, type Unreadable } from './reading.ts';

/**
 * The value is the password. One line break at the end belongs to the file it was pasted from, not to the password: it is kept where
 * it is. A password that itself ends in a line break cannot be held.
 */
export function readRaw(text: string): Reading | Unreadable {
  const end = text.endsWith('\r\n') ? text.length - 2 : text.endsWith('\n') ? text.length - 1 : text.length;
  if (end === 0) return noPassword('it is empty');
  return {
    kind: 'reading',
    passwords: [{ start: 0, end, value: text.slice(0, end), encode: encoded }],
    usernames: [],
  };
}
