/** What NAT routers and firewalls do, as rulesets for nft. Pure. */

export interface Nat {
  /**
   * `port-restricted`: the port stays where it is free, so it is the same towards everyone.
   * `symmetric`: a random one for each flow. Both let in only what answers (RFC 4787 section 5).
   */
  readonly kind: 'port-restricted' | 'symmetric';
  /** IPv6 is routed as it is where this is not set. */
  readonly ipv6?: boolean;
  /** Takes public ports from this range only. */
  readonly ports?: { readonly first: number; readonly last: number };
}

export interface Passage {
  /** Name of the interface that packets come in by. */
  readonly from: string;
  readonly to: string;
  /** Any port of the protocol where none are given or excepted. */
  readonly protocol: 'tcp' | 'udp';
  readonly ports?: readonly number[];
  /** Every port but these. */
  readonly exceptPorts?: readonly number[];
}

export interface Firewall {
  /** All that may begin a flow; what answers passes with it. */
  readonly pass: readonly Passage[];
  /** What happens to the rest: silence, or an ICMP error and RST. */
  readonly refusal: 'drop' | 'reject';
}

export interface RouterRules {
  readonly nat?: Nat & { readonly outside: string };
  readonly firewall?: Firewall;
}

export function rulesetOf({ nat, firewall }: RouterRules): string {
  const chains = [...(nat === undefined ? [] : natChain(nat)), ...firewallChain(firewall)];
  return ['table inet router {', ...chains.map((line) => `  ${line}`), '}', ''].join('\n');
}

/** The same with every other rule of the router taken away first. */
export function replacingRuleset(rules: RouterRules): string {
  return `flush ruleset\n${rulesetOf(rules)}`;
}

/** A router that has died without telling anyone. */
export function blackhole(): string {
  return `table inet blackhole {
  chain everything {
    type filter hook prerouting priority raw; policy drop;
  }
}
`;
}

export const END_OF_BLACKHOLE = 'delete table inet blackhole\n';

function natChain({ outside, kind, ipv6, ports }: NonNullable<RouterRules['nat']>): string[] {
  const family = ipv6 ? '' : 'meta nfproto ipv4 ';
  const range = ports === undefined ? '' : ` to :${ports.first}-${ports.last}`;
  const flags = kind === 'symmetric' ? ' random,fully-random' : '';
  // Only what has ports can be given others; masquerading the rest changes its address.
  const withPorts = `${family}meta l4proto { tcp, udp } `;
  return [
    'chain translate {',
    '  type nat hook postrouting priority srcnat; policy accept;',
    `  oifname "${outside}" ${withPorts}masquerade${range}${flags}`,
    `  oifname "${outside}" ${family}masquerade`,
    '}',
  ];
}

function firewallChain(firewall: Firewall | undefined): string[] {
  if (firewall === undefined) return [];
  return [
    'chain passing {',
    '  type filter hook forward priority filter; policy drop;',
    '  ct state established,related accept',
    ...firewall.pass.map((passage) => `  ${passageRule(passage)}`),
    ...(firewall.refusal === 'reject' ? REFUSALS : []),
    '}',
  ];
}

const REFUSALS = [
  '  meta l4proto tcp reject with tcp reset',
  '  reject with icmpx type admin-prohibited',
];

function passageRule({ from, to, ...what }: Passage): string {
  return `iifname "${from}" oifname "${to}" ${passing(what)} accept`;
}

function passing({ protocol, ports, exceptPorts }: Omit<Passage, 'from' | 'to'>): string {
  if (ports !== undefined) return `${protocol} dport { ${ports.join(', ')} }`;
  if (exceptPorts !== undefined) return `${protocol} dport != { ${exceptPorts.join(', ')} }`;
  return `meta l4proto ${protocol}`;
}
