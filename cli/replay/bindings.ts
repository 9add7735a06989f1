/** The bindings that the media of a capture need, and what the tunnel gave for them. */
import type { Endpoint } from '../../wire/address.ts';
import { type Description, endpointKey } from './descriptions.ts';
import type { MediaFlow } from './find-media.ts';
import type { Bound } from './tunnel.ts';

export interface WantedBinding {
  readonly protocol: 6 | 17;
  readonly ue: Endpoint;
  /** Also the port above: RTP with its RTCP (RFC 3550 section 11). */
  readonly pair: boolean;
}

/**
 * One for each UE address of the flows, and for the RTCP that a description tells beside one of them;
 * an even port and the odd one above it together.
 */
export function wantedBindings(
  flows: readonly MediaFlow[],
  descriptions: readonly Description[],
): WantedBinding[] {
  const sockets = new Map<string, Omit<WantedBinding, 'pair'>>();
  const add = (protocol: 6 | 17, ue: Endpoint) =>
    sockets.set(endpointKey(ue, protocol), { protocol, ue });
  for (const { protocol, ue } of flows) add(protocol, ue);
  for (const { rtp, rtcp } of descriptions.flatMap(({ media }) => media)) {
    if (rtp !== undefined && rtcp !== undefined && sockets.has(endpointKey(rtp, 17))) add(17, rtcp);
  }
  const above = ({ protocol, ue }: Omit<WantedBinding, 'pair'>, step: number) =>
    sockets.has(endpointKey({ ...ue, port: ue.port + step }, protocol));
  return [...sockets.values()].flatMap((socket) => {
    const isEven = socket.ue.port % 2 === 0;
    if (socket.protocol === 17 && !isEven && above(socket, -1)) return [];
    return [{ ...socket, pair: socket.protocol === 17 && isEven && above(socket, 1) }];
  });
}

/** The public address of each UE socket that is bound. */
export function boundAddresses(bound: readonly Bound[]): ReadonlyMap<string, Endpoint> {
  const addresses = new Map<string, Endpoint>();
  for (const { ue, protocol, address, pair } of bound) {
    addresses.set(endpointKey(ue, protocol), address);
    if (pair) addresses.set(endpointKey(next(ue), protocol), next(address));
  }
  return addresses;
}

function next(endpoint: Endpoint): Endpoint {
  return { ...endpoint, port: endpoint.port + 1 };
}
