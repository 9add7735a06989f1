/** A running agent as the command that started it holds it: the same for both agents. */
import type { IoFault } from '../io/io-fault.ts';
import type { Log } from '../ops/log.ts';
import type { AgentStatus } from '../ops/status.ts';

export interface Running<Settings> {
  /** A server in several processes has to ask them. */
  status(): AgentStatus | Promise<AgentStatus>;
  /** Applies what may change while it runs; a fault changed nothing. */
  reload(settings: Settings): Promise<IoFault | undefined>;
  /** Takes nothing new; resolves when the last call has ended, or its time is over. */
  drain(): Promise<void>;
  /** Ends at once, and leaves nothing behind. */
  stop(): Promise<void>;
}

export interface AgentDeps {
  readonly log: Log;
  /** It cannot go on, as when its interface was taken away: the command stops it and fails. */
  readonly failed: (fault: IoFault) => void;
}
