/** `tep client` and `tep server` as commands: the same but for the agent and the words about it. */
import { settingsHelp, type WritingSample, wrap, writingHelp } from '../../config/help.ts';
import type { Keys } from '../../config/key.ts';
import { helpText } from '../arguments.ts';
import type { Command } from '../command.ts';
import type { AgentKind } from './kind.ts';
import { runAgent } from './run.ts';

export interface AgentWords {
  readonly summary: string;
  readonly about: string;
  /** A whole configuration, as short as one can be. */
  readonly least: string;
  readonly sample: WritingSample;
  readonly examples: ReadonlyArray<readonly [commandLine: string, does: string]>;
}

/** What both have besides their settings; read by config/read.ts. */
const OPTIONS = {
  config: { kind: 'text', value: 'FILE', meaning: 'the configuration, else the file named below' },
  check: {
    kind: 'flag',
    meaning: 'show the settings that hold and where they were written; do nothing',
  },
  json: { kind: 'flag', meaning: 'with --check: one JSON object instead of text' },
} as const;

export function agentCommand<T extends Keys>(kind: AgentKind<T>, words: AgentWords): Command {
  const { name, defaultFile, keys } = kind;
  return {
    name,
    summary: words.summary,
    help: helpText({
      usage: `${name} [--config FILE] [--check [--json]] [--SETTING VALUE …]`,
      about: words.about,
      options: OPTIONS,
      notes: `
The least that ${defaultFile} must say:

${words.least.trim().replaceAll(/^/gm, '  ')}

${writingHelp(words.sample)}

${settingsHelp(keys)}

${wrap(
  'Signals: SIGHUP reads the configuration again, SIGTERM lets calls end, a second SIGTERM or SIGINT ' +
    'ends at once.',
  '',
)}

Exit status: 0 after it was asked to end, 1 when it could not go on, 2 for a wrong configuration.`,
      examples: words.examples,
    }),
    run: (args, world) => runAgent(kind, args, world),
  };
}
