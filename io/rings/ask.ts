/** What `ip` shows, as data. */
import { type IoFault, isIoFault } from '../io-fault.ts';
import { run } from './run.ts';

/** An empty list where what is asked for does not exist. */
async function ask(words: readonly string[]): Promise<unknown[] | IoFault> {
  const ran = await run('ip', ['-json', '-details', ...words]);
  if ('type' in ran) return ran;
  if (ran.code !== 0) return [];
  const answer: unknown = JSON.parse(ran.stdout === '' ? '[]' : ran.stdout);
  return Array.isArray(answer) ? answer : [];
}

/** The answers to several questions, or the first fault. */
export async function askAll(
  questions: readonly (readonly string[])[],
): Promise<unknown[][] | IoFault> {
  const answers: unknown[][] = [];
  for (const answer of await Promise.all(questions.map(ask))) {
    if (isIoFault(answer)) return answer;
    answers.push(answer);
  }
  return answers;
}
