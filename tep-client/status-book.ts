/** What a running TEP-C remembers of its past, and how it tells its state (ops/status.ts). */
import type { SocketMap } from '../config/address-kinds.ts';
import { now } from '../io/clock.ts';
import type { PacketPort } from '../io/packet-port.ts';
import type { QualityStatus } from '../ops/flow-quality.ts';
import { protocolName } from '../ops/state-log.ts';
import type {
  BindingStatus,
  ClientStatus,
  ConnectionStatus,
  Drops,
  SipStatus,
} from '../ops/status.ts';
import { version } from '../ops/version.ts';
import type { BindingOrigin } from '../session/client-bindings.ts';
import {
  type ClientBindingStatus,
  type ClientConnectionStatus,
  type ClientTunnelStatus,
  leastRoundTripMs,
} from '../session/client-status.ts';
import type { Counters } from '../session/counters.ts';
import type { TcpState } from '../session/tcp-state.ts';
import { formatEndpoint } from '../wire/address.ts';
import { FAULTS, faultAction, faultName } from '../wire/faults.ts';
import type { Discovery } from './discovery.ts';
import type { ClientEvent } from './options.ts';

const ORIGINS: Readonly<Record<BindingOrigin, string>> = {
  asked: 'static',
  flow: 'first-packet',
  stun: 'stun',
};

/** What the parts of the daemon say at the moment. */
export interface Present {
  readonly kind: string;
  readonly packets: PacketPort;
  readonly maps: readonly SocketMap[];
  readonly counters: Counters;
  readonly tunnel: ClientTunnelStatus;
  /** Of a connection, where the system tells it. */
  readonly tcpState: (conn: number) => TcpState | undefined;
  /** Of a binding to which RTP comes. */
  readonly quality: (binding: number, roundTripMs: number | undefined) => QualityStatus | undefined;
  readonly server: string | undefined;
  readonly discovery: Discovery | undefined;
  readonly sip: SipStatus | undefined;
}

export class StatusBook {
  readonly #startedMs = now();
  #openedMs: number | undefined;
  #resumed = 0;
  #lastFault: string | undefined;
  #isOut = false;

  observe(event: ClientEvent): void {
    switch (event.type) {
      case 'opened':
        if (event.resumed) this.#resumed += 1;
        else this.#openedMs = now();
        break;
      case 'outage':
        this.#isOut = event.on;
        break;
      case 'closed':
        this.#openedMs = undefined;
        if (event.why !== 'asked' && event.why !== 'idle') this.#lastFault = whyOf(event);
        break;
      case 'refused':
        this.#lastFault = whyOf(event);
        break;
      case 'connect-failed':
      case 'connection-broken':
        this.#lastFault = event.fault.text;
        break;
      case 'close':
        if (event.fault !== 0) this.#lastFault = faultName(event.fault);
        break;
    }
  }

  status(present: Present): ClientStatus {
    const { kind, packets, maps, counters, tunnel, server, discovery, sip } = present;
    const { received, sent, dropped } = packets.counters;
    return {
      agent: 'client',
      version: version(),
      pid: process.pid,
      startedMs: Math.round(this.#startedMs),
      nowMs: Math.round(now()),
      sent: { packets: counters.sentRecords, octets: counters.sentOctets },
      received: { packets: counters.receivedRecords, octets: counters.receivedOctets },
      drops: dropsOf(counters),
      port: { kind, received, sent, drops: Object.fromEntries(dropped) },
      tunnel: {
        state: tunnel.state,
        isOut: this.#isOut,
        resumed: this.#resumed,
        ...(server === undefined ? {} : { server }),
        ...(this.#openedMs === undefined ? {} : { sinceMs: Math.round(this.#openedMs) }),
        ...(tunnel.outer && { outer: formatEndpoint(tunnel.outer) }),
        ...(this.#lastFault === undefined ? {} : { lastFault: this.#lastFault }),
        waiting: tunnel.waiting,
        connections: tunnel.connections.map((c) => connectionOf(c, present)),
      },
      ...(discovery && { udp: udpOf(discovery) }),
      ...(sip && { sip }),
      bindings: tunnel.bindings.map((binding) => bindingOf(binding, present)),
      maps: maps.map(({ local, media }) => ({
        local: formatEndpoint(local),
        media: formatEndpoint(media),
      })),
    };
  }
}

function whyOf({ why, reason }: { why: string; reason: string }): string {
  return `${why}: ${reason}`;
}

/** Faults that cost a packet or a message; others ended a connection. */
function dropsOf(counters: Counters): Drops {
  const drops: Record<string, number> = {};
  for (const fault of Object.values(FAULTS)) {
    const count = counters.of(fault);
    if (count > 0 && faultAction(fault) === 'drop') drops[faultName(fault)] = count;
  }
  return drops;
}

function connectionOf(c: ClientConnectionStatus, present: Present): ConnectionStatus {
  const { conn, state, rttMs, queued: queuedOctets, queueLimit } = c;
  const { server: peer = '', tcpState } = present;
  const tcp = tcpState(conn);
  const measured = { ...(rttMs !== undefined && { rttMs }), ...(tcp && { tcp }) };
  return { peer, state, queuedOctets, queueLimit, ...measured };
}

function udpOf({ state, mapped }: Discovery): { state: string; mapped?: string } {
  return mapped === undefined ? { state } : { state, mapped: formatEndpoint(mapped) };
}

function bindingOf(binding: ClientBindingStatus, present: Present): BindingStatus {
  const { ue, protocol, origin, address, number, sending } = binding;
  const quality = present.quality(number, leastRoundTripMs(present.tunnel.connections));
  return {
    ...(quality && { quality }),
    ue: formatEndpoint(ue),
    public: address === undefined ? '-' : formatEndpoint(address),
    protocol: protocolName(protocol),
    origin: ORIGINS[origin],
    sending,
  };
}
