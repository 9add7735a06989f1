/** The command line of `bench:delay`. */
import type { AgentSettings } from '../../cli/demo/agent.ts';
import { PEER_NAMES, type PeerName } from '../peers/peer.ts';
import { type Scenario, scenarios } from './scenarios.ts';

export interface Options {
  /** At the start of every run, for all peers alike: connections find their pace, and Node compiles. */
  readonly leadInMs: number;
  readonly asJson: boolean;
  readonly peers: readonly PeerName[];
  readonly scenarios: readonly Scenario[];
  readonly client: AgentSettings;
  readonly server: AgentSettings;
}

/** A blackout has to be over. */
const SHORT_S = 5.5;
/** An agent has nearly all of its code compiled after two seconds of 20 calls (README.md: Delay). */
const LEAD_IN_MS = 3_000;
const QUICK_LEAD_IN_MS = 1_000;

/** Throws RangeError for a word that means nothing. */
export function optionsOf(words: readonly string[]): Options {
  const isQuick = words.includes('--quick');
  const names = words.filter((word) => !word.startsWith('--'));
  const all = scenarios(isQuick);
  const peers = PEER_NAMES.filter((name) => names.includes(name));
  // By name those that the short form leaves out can be had too.
  const known = names.some((name) => !isPeer(name)) ? everyScenario(isQuick) : all;
  const wanted = known.filter(({ name }) => names.includes(name));
  for (const name of names) {
    if (!isPeer(name) && !wanted.some((scenario) => scenario.name === name)) {
      const possible = scenarios(false).map((scenario) => scenario.name);
      throw new RangeError(`${name}: neither of ${[...PEER_NAMES, ...possible].join(' ')}`);
    }
  }
  return {
    leadInMs: isQuick ? QUICK_LEAD_IN_MS : LEAD_IN_MS,
    asJson: words.includes('--json'),
    peers: peers.length > 0 ? peers : PEER_NAMES,
    scenarios: (wanted.length > 0 ? wanted : all).map((one) =>
      // Who names peers wants them everywhere.
      peers.length > 0 ? { ...one, peers } : one,
    ),
    client: settingsOf(words, '--client='),
    server: settingsOf(words, '--server='),
  };
}

function everyScenario(isQuick: boolean): Scenario[] {
  return scenarios(false).map((one) =>
    isQuick ? { ...one, ...one.quick, seconds: SHORT_S } : one,
  );
}

function isPeer(name: string): name is PeerName {
  return (PEER_NAMES as readonly string[]).includes(name);
}

function settingsOf(words: readonly string[], prefix: string): AgentSettings {
  const settings: Record<string, string> = {};
  for (const word of words.filter((word) => word.startsWith(prefix))) {
    const [key = '', ...value] = word.slice(prefix.length).split('=');
    settings[key] = value.join('=');
  }
  return settings;
}
