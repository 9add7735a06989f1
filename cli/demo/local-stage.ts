/** Everything on loopback, with UDP sockets as packet ports: no privilege, no network. */
import { endpointOf } from '../../io/endpoints.ts';
import { openUdp } from '../../io/udp-socket.ts';
import { formatEndpoint } from '../../wire/address.ts';
import type { Host } from './party.ts';
import type { Stage } from './setup.ts';

const HOST = '127.0.0.1';
const LOOPBACK: Host = {
  open: (port, receive) => openUdp(endpointOf(HOST, port), receive),
};

export const LOCAL_STAGE: Stage = {
  phones: LOOPBACK,
  gateways: LOOPBACK,
  clientCommand: [],
  serverCommand: [],
  serverSettings: {
    listen: [`${HOST}:0`],
    'addresses.mode': 'relay',
    'addresses.public': [HOST],
    'packets.port': 'sockets',
    'media.allow': [`${HOST}/32:1024-65535/udp`],
  },
  server: (listening) => `tcp://${listening}`,
  clientSettings: (gateways) => ({
    connect: 'never',
    'packets.port': 'sockets',
    maps: gateways.map((gateway) => `${HOST}:0=${formatEndpoint(gateway)}`),
  }),
};
