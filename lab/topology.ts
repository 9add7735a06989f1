/**
 * Networks as data: hosts, and the links between them. Each host becomes a network namespace, each
 * link a pair of veth interfaces, one end in each namespace: nothing of it stands in the namespace of
 * the machine itself.
 */

export interface Topology {
  readonly hosts: readonly Host[];
  readonly links: readonly Link[];
}

export interface Host {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Whether it passes packets on, IPv4 and IPv6. */
  readonly isRouter?: boolean;
  /** In the words of `ip route add`: `default via 10.0.0.1`. */
  readonly routes?: readonly string[];
  /** For `nft -f`. */
  readonly ruleset?: string;
  /** There is no DNS in a lab: names that programs on this host can look up, with their addresses. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

export interface Link {
  readonly ends: readonly [LinkEnd, LinkEnd];
  /**
   * Whether the pair leaves checksums and segmentation to "hardware", as it does by default and as a
   * network card does. Off: every packet is complete on the link, and no longer than the MTU.
   */
  readonly offloads?: 'on' | 'off';
  readonly mtu?: number;
}

export interface LinkEnd {
  readonly host: string;
  /** Name of the interface, at most 15 characters. */
  readonly name: string;
  /** With prefix length: `10.0.0.2/24`, `2001:db8:1::2/64`. */
  readonly addresses: readonly string[];
}

/** The ends of links that this host has. */
export function endsOf(topology: Topology, host: string): LinkEnd[] {
  return topology.links.flatMap(({ ends }) => ends.filter((end) => end.host === host));
}
