/**
 * The nftables table of reflexive mode: sets of bound public addresses, and chains that mark what is for
 * them, made here or passing through, so that a rule (rules.ts) sends it to the port. An ICMP error
 * belongs to the binding that the packet inside it came from.
 *
 * The table is of the port alone; no other is looked at. Offsets into ICMP are from the transport header:
 * 8 octets of ICMP, then the IP packet inside (RFC 792, RFC 4443 section 3).
 */
import type { FlowProtocol } from '../../session/outputs.ts';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import type { Place } from './place.ts';

export interface Capture {
  readonly at: Endpoint;
  readonly protocol: FlowProtocol;
}

function tableName(place: Place): string {
  return `inet tep_${place.name}`;
}

/** Replaces the table, if there is one, in one step. */
export function replaceTable(place: Place, captures: readonly Capture[]): string {
  const table = tableName(place);
  const mark = `meta mark set meta mark | 0x${place.mark.toString(16)}`;
  const chosen = RULES.map((rule) => `    ${rule} ${mark}`).join('\n');
  return `${dropTable(place)}table ${table} {
${SETS.map(([name, type]) => `  set ${name} {\n    ${type}\n  }`).join('\n')}
  chain forwarded {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${place.name}" return
${chosen}
  }
  chain local {
    type route hook output priority mangle; policy accept;
${chosen}
  }
}
${captures.map((one) => changeElements(place, 'add', one)).join('')}`;
}

/** Removes the table; no error where there is none. */
export function dropTable(place: Place): string {
  const table = tableName(place);
  return `table ${table} {\n}\ndelete table ${table}\n`;
}

/** Fails when there is no table; shows little of one. */
export function lookAtTable(place: Place): string {
  return `list chain ${tableName(place)} local\n`;
}

export function changeElements(
  place: Place,
  verb: 'add' | 'delete',
  { at, protocol }: Capture,
): string {
  const { address, family, port } = at;
  const text = formatAddress(address, 0, address.length);
  const number = `0x${Buffer.from(address).toString('hex')}`;
  const table = tableName(place);
  return `${verb} element ${table} bound${family} { ${text} . ${protocol} . ${port} }
${verb} element ${table} errors${family} { ${number} . ${protocol} . ${port} }
`;
}

const SETS = [
  ['bound4', 'type ipv4_addr . inet_proto . inet_service'],
  ['bound6', 'type ipv6_addr . inet_proto . inet_service'],
  ['errors4', 'typeof @th,160,32 . @th,136,8 . @th,224,16'],
  ['errors6', 'typeof @th,128,128 . @th,112,8 . @th,384,16'],
] as const;

const RULES = [
  'ip daddr . meta l4proto . th dport @bound4',
  'ip6 daddr . meta l4proto . th dport @bound6',
  'icmp type { 3, 11, 12 } @th,160,32 . @th,136,8 . @th,224,16 @errors4',
  'icmpv6 type { 1, 2, 3, 4 } @th,128,128 . @th,112,8 . @th,384,16 @errors6',
];
