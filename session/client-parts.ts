/** The parts of TEP-C, joined. What they mean for the life of the tunnel is decided by their owner. */
import type { StunMessage } from '../wire/stun/message.ts';
import { ClientBinder } from './client-binder.ts';
import { ClientBindings } from './client-bindings.ts';
import type { ClientConnection, ClientTransaction, Purpose } from './client-connection.ts';
import { ClientData } from './client-data.ts';
import { ClientRequests } from './client-requests.ts';
import { ClientStats } from './client-stats.ts';
import { Connections } from './connections.ts';
import { Counters } from './counters.ts';
import { LocalStun } from './local-stun.ts';
import { MediaSender } from './media/media-sender.ts';
import { type ClientOptions, SOFTWARE } from './options.ts';
import type { ClientOutput, PacketSink } from './outputs.ts';
import { Reach } from './reach.ts';
import { Refuser } from './refuser.ts';
import type { ConnectionState } from './table.ts';

const MAX_BINDINGS = 64;

export interface ClientOwner {
  /** A connection is of no use any more, whoever ended it. */
  gone(c: ClientConnection, from: ConnectionState, sinceMs: number, now: number): void;
  succeeded(c: ClientConnection, asked: ClientTransaction, message: StunMessage, now: number): void;
  failed(c: ClientConnection, purpose: Purpose, code: number, reason: string, now: number): void;
  /** More is known of the system below a connection. */
  learnt(c: ClientConnection, now: number): void;
  isUp(): boolean;
  /** Something is wanted: a tunnel is needed. */
  wanted(now: number): void;
  /** Something is not wanted any more. */
  dropped(now: number): void;
}

export interface ClientParts {
  readonly counters: Counters;
  readonly connections: Connections<ClientConnection, ClientOutput>;
  readonly requests: ClientRequests;
  readonly bindings: ClientBindings;
  readonly binder: ClientBinder;
  readonly data: ClientData;
  readonly media: MediaSender<ClientConnection>;
  readonly stats: ClientStats;
  readonly reach: Reach;
  readonly refuser: Refuser;
  /** The connections that are part of the tunnel; kept by the owner. */
  readonly ready: ClientConnection[];
}

export function clientParts(
  options: ClientOptions,
  sink: PacketSink,
  owner: ClientOwner,
): ClientParts {
  const { random, stunAt = [], software = SOFTWARE } = options;
  const counters = new Counters();
  const ready: ClientConnection[] = [];
  const { gone, succeeded, failed, learnt, isUp, wanted, dropped } = owner;
  const connections = new Connections<ClientConnection, ClientOutput>({
    ...{ counters, random, gone },
    fill: (c, now) => media.fill(c, now),
    learnt: (c, now) => {
      learnt(c, now);
      media.learnt(c, now);
    },
  });
  const media = new MediaSender({ connections, ready, counters }, options.media);
  const requests = new ClientRequests({ connections, counters, random, succeeded, failed });
  const bindings = new ClientBindings(options.maxBindings ?? MAX_BINDINGS, random);
  const stun = new LocalStun(stunAt, software);
  const reach = new Reach({
    random,
    changed: (on, now) => {
      connections.tell({ type: 'outage', on });
      if (on) data.outage(now);
    },
  });
  const binder = new ClientBinder({
    ...{ bindings, requests, ready, counters, stun, sink, random, isUp, wanted, dropped },
    granted: (binding, now) => data.granted(binding, now),
    lost: (binding, now) => data.lost(binding, now),
    tell: (output) => connections.tell(output),
  });
  const { automatic } = binder;
  const refuser = new Refuser(sink);
  const ways = { bindings, media, ready, counters, stun, sink };
  const data = new ClientData({ ...ways, automatic, reach, refuser });
  const stats = new ClientStats({
    ...{ counters, data, media, ready, requests },
    periodMs: options.statsMs,
    silentMs: options.liveness?.silentMs,
  });
  return {
    ...{ counters, connections, requests, bindings, binder, data, media, stats, reach, refuser },
    ready,
  };
}
