/**
 * Which packets the host sends to the port, as rules of policy routing (ip-rule(8)). All say
 * `protocol 84` and stand at three priorities, p to p + 2:
 *
 *   p      to 198.51.100.7 ipproto 6 dport 80 goto p + 2        the tunnel itself stays outside
 *   p + 1  to 203.0.113.0/24 ipproto 17 dport 30000-40000 lookup T
 *   p + 2  nop                                                    the host's own rules go on from here
 *
 * Table T has a default route into the port's interface and nothing else. Protocols are numbers: their names
 * are known where somebody has installed /etc/protocols, and in small containers nobody has.
 */
import type { FlowProtocol } from '../../session/outputs.ts';
import type { PortRange } from '../../session/port-allocator.ts';
import type { Family } from '../../wire/address.ts';
import { formatPrefix, type Prefix } from '../../wire/prefix.ts';
import { MADE_BY, type Place } from './place.ts';

/** TEP-C: packets to media addresses, of one protocol or any, to some ports or all. */
export interface Diversion {
  readonly prefix: Prefix;
  readonly protocol?: FlowProtocol;
  readonly ports?: PortRange;
}

/** Connections of the tunnel itself, which must not enter it. */
export interface Exception {
  readonly prefix: Prefix;
  readonly port?: number;
}

export type Routing =
  | {
      readonly kind: 'divert';
      readonly to: readonly Diversion[];
      readonly except: readonly Exception[];
    }
  /** TEP-S in pool mode: everything for these addresses. */
  | { readonly kind: 'pool'; readonly prefixes: readonly Prefix[] }
  /** TEP-S in reflexive mode: what the nftables set says (capture-table.ts). */
  | { readonly kind: 'capture' };

const TCP = 6;
const UDP = 17;
const ICMP = { 4: 1, 6: 58 } as const;
const MAX_PORT = 65_535;

/**
 * What follows `ip -4 rule add`, or `ip -6 rule del`. No rule twice, and none that says less than another
 * one: to the kernel a rule without a selector is the same as any that has one there too (EEXIST).
 */
export function rulesOf(routing: Routing, place: Place, family: Family): string[] {
  const lines = bodiesOf(routing, place, family).map((body) => `${body} protocol ${MADE_BY}`);
  const unique = [...new Set(lines)];
  return unique.filter((line) => !unique.some((other) => isWithin(line, other)));
}

/** Whether `rule` is another one with selectors added, so that nothing is left for it to select. */
export function isWithin(rule: string, wider: string): boolean {
  const has = selectorsIn(rule);
  const wanted = selectorsIn(wider);
  return wanted.size < has.size && [...wanted].every((one) => has.has(one));
}

/** Pairs of words: `to 192.0.2.0/24`, `ipproto 17`. All addresses are no selector. */
function selectorsIn(rule: string): ReadonlySet<string> {
  const pairs = rule.match(/\S+ \S+/g) ?? [];
  return new Set(pairs.filter((pair) => !/^to \S+\/0$/.test(pair)));
}

function bodiesOf(routing: Routing, place: Place, family: Family): string[] {
  const { priority, mark, table } = place;
  const way = `lookup ${table}`;
  const at = priority + 1;
  if (routing.kind === 'capture') return [`priority ${at} fwmark ${mark}/${mark} ${way}`];
  if (routing.kind === 'pool') {
    const prefixes = routing.prefixes.filter((prefix) => prefix.family === family);
    return prefixes.map((prefix) => `priority ${at} to ${formatPrefix(prefix)} ${way}`);
  }
  const past = priority + 2;
  const except = routing.except
    .filter(({ prefix }) => prefix.family === family)
    .map((one) => `priority ${priority} ${exceptionOf(one)} goto ${past}`);
  const to = routing.to
    .filter(({ prefix }) => prefix.family === family)
    .flatMap((one) => selectorsOf(one).map((selector) => `priority ${at} ${selector} ${way}`));
  return [...except, ...to, `priority ${past} nop`];
}

/** All ports need no word. Otherwise rules cannot name the port 0, nor 65,535 (fib_rules.h). */
function rangeOf({ first, last }: PortRange): string {
  const from = Math.max(1, Math.min(first, MAX_PORT - 1));
  if (from === 1 && last === MAX_PORT) return '';
  return ` dport ${from}-${Math.min(last, MAX_PORT - 1)}`;
}

function exceptionOf({ prefix, port }: Exception): string {
  return `to ${formatPrefix(prefix)} ipproto ${TCP}${port === undefined ? '' : ` dport ${port}`}`;
}

/**
 * ICMP goes with the media: errors of this host about packets that it received must reach whoever sent
 * them, translated. Ports stand in the rules of the two protocols that have some.
 */
function selectorsOf({ prefix, protocol, ports }: Diversion): string[] {
  const to = `to ${formatPrefix(prefix)}`;
  if (protocol === undefined && ports === undefined) return [to];
  const protocols = protocol === undefined ? [UDP, TCP] : [protocol];
  const range = ports === undefined ? '' : rangeOf(ports);
  const ways = protocols.map((number) => `${to} ipproto ${number}${range}`);
  return [...ways, `${to} ipproto ${ICMP[prefix.family]}`];
}
