/** An agent that does nothing and keeps what it was told. */
import type { AgentKind } from '../../../cli/agent/kind.ts';
import type { World } from '../../../cli/command.ts';
import { secret } from '../../../config/file-kinds.ts';
import { group, one, optional, type Values } from '../../../config/key.ts';
import { number } from '../../../config/kinds.ts';
import type { AgentDeps } from '../../../config/running.ts';
import { operationKeys } from '../../../config/shared-keys.ts';
import type { IoFault } from '../../../io/io-fault.ts';
import type { AgentStatus } from '../../../ops/status.ts';

const KEYS = {
  ...group('Test', {
    live: one(number(0, 99), { meaning: 'a number', default: '1', reload: 'live' }),
    fixed: one(number(0, 99), { meaning: 'another', default: '1', reload: 'restart' }),
    password: optional(secret, { meaning: 'a secret', reload: 'live' }),
  }),
  ...operationKeys('client'),
} as const;

type Settings = Values<typeof KEYS>;

export class FakeAgent implements AgentKind<typeof KEYS> {
  readonly name = 'client';
  readonly keys = KEYS;
  readonly defaultFile = 'client.yaml';
  /** What happened, in order. */
  readonly diary: string[] = [];
  settings: Settings | undefined;
  deps: AgentDeps | undefined;
  startFault: IoFault | undefined;
  reloadFault: IoFault | undefined;
  drained: () => void = () => {};
  started: Promise<void>;
  #started: () => void = () => {};

  constructor() {
    this.started = new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  check(settings: Settings, tell: (key: string, text: string) => void): void {
    if (settings.live === 13) tell('live', 'must not be 13');
  }

  summary(): string {
    return 'all is well';
  }

  async start(settings: Settings, deps: AgentDeps) {
    if (this.startFault) return this.startFault;
    this.settings = settings;
    this.deps = deps;
    this.diary.push('start');
    // The command has the running agent in hand one turn later.
    setImmediate(this.#started);
    return {
      status: () => ({ agent: 'client', live: this.settings?.live }) as unknown as AgentStatus,
      reload: async (next: Settings) => {
        this.diary.push('reload');
        if (this.reloadFault === undefined) this.settings = next;
        return this.reloadFault;
      },
      drain: () => {
        this.diary.push('drain');
        return new Promise<void>((resolve) => {
          this.drained = resolve;
        });
      },
      stop: async () => {
        this.diary.push('stop');
      },
    };
  }
}

/** The same world in another folder. */
export function inFolder<W extends World>(world: W, folder: string): W {
  return { ...world, process: { ...world.process, folder } };
}
