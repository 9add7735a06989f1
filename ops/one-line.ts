/** Text of others on a line that people read: names of files, arguments, and what the network says may hold anything. */

/** Controls, ends of lines and paragraphs, and what turns the direction of writing (UAX 9): shown so, a text could pass for another. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** What cannot be seen as `\x0a`: no line is broken, no terminal is told to do anything. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
