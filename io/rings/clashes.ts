/**
 * Tells what is in the way of a port from what a predecessor left, by what `ip -json` shows. Pure: what
 * is to be read comes in, the decision comes out.
 */
import type { IoFault } from '../io-fault.ts';
import { isOurMac, MADE_BY, type Place } from './place.ts';

/** What is there, as `ip -json -details` shows it. */
export interface Found {
  /** Interfaces with one of the two names. */
  readonly links: readonly unknown[];
  readonly rules: Readonly<Record<4 | 6, readonly unknown[]>>;
  /** Routes of the port's table, both families. */
  readonly routes: readonly unknown[];
}

/** What is to be removed before the port is made: all of it was made by a port of this name. */
export interface Leftovers {
  readonly links: readonly string[];
  /** Priorities, once for each rule. */
  readonly rules: Readonly<Record<4 | 6, readonly number[]>>;
}

interface Fields {
  readonly [name: string]: unknown;
}

/** Undefined when nothing is in the way. */
export function clashIn(found: Found, place: Place): IoFault | undefined {
  const foreign =
    found.links.map((link) => linkInTheWay(fieldsOf(link))).find(isText) ??
    found.routes.map((route) => routeInTheWay(fieldsOf(route), place)).find(isText) ??
    [...found.rules[4], ...found.rules[6]]
      .map((rule) => ruleInTheWay(fieldsOf(rule), place))
      .find(isText);
  return foreign === undefined ? undefined : { type: 'io-fault', code: 'EEXIST', text: foreign };
}

/** What is ours, whatever else is there. */
export function leftoversIn(found: Found, place: Place): Leftovers {
  const links = found.links.map(fieldsOf).filter((link) => linkInTheWay(link) === undefined);
  return {
    links: links.map((link) => textOf(link.ifname)),
    rules: { 4: ours(found.rules[4], place), 6: ours(found.rules[6], place) },
  };
}

function linkInTheWay(link: Fields): string | undefined {
  const kind = textOf(fieldsOf(link.linkinfo).info_kind);
  if (kind === 'veth' && isOurMac(textOf(link.address))) return undefined;
  const name = textOf(link.ifname);
  return `interface ${name} is there and not ours (${kind || textOf(link.link_type)}): remove it, or set packets.interface to another name`;
}

function routeInTheWay(route: Fields, place: Place): string | undefined {
  const dev = textOf(route.dev);
  if (isOurs(route) && dev === place.name) return undefined;
  return `routing table ${place.table} holds ${textOf(route.dst)} dev ${dev}, which is not ours: another table is needed`;
}

function ruleInTheWay(rule: Fields, place: Place): string | undefined {
  const { priority, table, mark } = place;
  const at = Number(rule.priority);
  const isInside = at >= priority && at <= priority + 2;
  if (isOurs(rule) && isInside) return undefined;
  const says = ruleText(rule);
  if (isInside)
    return `priority ${at} is that of a rule which is not ours (${says}): others are needed`;
  if (textOf(rule.table) === String(table)) {
    return `routing table ${table} is used by a rule which is not ours (${says}): another is needed`;
  }
  const wanted = Number(rule.fwmark ?? 0);
  return (wanted & Number(rule.fwmask ?? -1) & mark) === 0
    ? undefined
    : `mark 0x${mark.toString(16)} is used by a rule which is not ours (${says}): another is needed`;
}

function ours(rules: readonly unknown[], { priority }: Place): number[] {
  const mine = rules.map(fieldsOf).filter(isOurs);
  return mine
    .map((rule) => Number(rule.priority))
    .filter((at) => at >= priority && at <= priority + 2);
}

function isOurs(made: Fields): boolean {
  return textOf(made.protocol) === String(MADE_BY);
}

function ruleText(rule: Fields): string {
  const words = Object.entries(rule).filter(([name]) => name !== 'priority');
  return words.map(([name, value]) => (value === null ? name : `${name} ${value}`)).join(' ');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Numbers too: some versions of `ip` write a table as one, others as text. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
