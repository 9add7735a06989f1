/** What tells the two agents apart for the commands that run them. */
import type { Keys, Values } from '../../config/key.ts';
import type { CrossCheck } from '../../config/read.ts';
import type { AgentDeps, Running } from '../../config/running.ts';
import type { IoFault } from '../../io/io-fault.ts';
import type { AgentName, AgentStatus } from '../../ops/status.ts';

export interface AgentKind<T extends Keys> {
  readonly name: AgentName;
  readonly keys: T;
  readonly check: CrossCheck<Values<T>>;
  readonly defaultFile: string;
  start(settings: Values<T>, deps: AgentDeps): Promise<Running<Values<T>> | IoFault>;
  /** One line for `systemctl status`. */
  summary(status: AgentStatus): string;
}
