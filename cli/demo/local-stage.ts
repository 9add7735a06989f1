/** Everything on loopback, with UDP sockets as packet ports: no privilege, no network. */
import { formatEndpoint } from '../../wire/address.ts';
import type { Stage } from './setup.ts';

const HOST = '127.0.0.1';
const LOOPBACK = { address: Uint8Array.of(127, 0, 0, 1), enter: <T>(open: () => T) => open() };

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
    'packets.port': 'sockets',
    maps: gateways.map((gateway) => `${HOST}:0=${formatEndpoint(gateway)}`),
  }),
};
