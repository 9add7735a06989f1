/**
 * TEP-S as a service, from its settings: what `tep server` runs.
 *
 *     const server = await startServer(settings, { log, failed });
 *     server.status();
 *     await server.reload(settings);
 *     await server.drain();       // calls may end
 *     await server.stop();
 */
import type { AgentDeps, Running } from '../config/running.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { systemRandom } from '../io/random.ts';
import { passedSockets } from '../io/systemd-sockets.ts';
import { congestionFault } from '../io/tcp-options.ts';
import type { Log } from '../ops/log.ts';
import type { ServerStatus } from '../ops/status.ts';
import { type CoreParts, ServerCore } from './core.ts';
import type { ListenAt } from './listeners.ts';
import { logNgEvent } from './log-events.ts';
import { NgRelay } from './ng/relay.ts';
import type { ServerSettings } from './settings.ts';
import { TICKET_KEYS_LEN } from './tls-door.ts';
import { Primary } from './workers/primary.ts';
import { PublicAddresses } from './workers/public-addresses.ts';

const NONCE_SECRET_LEN = 32;

export interface ServerRunning extends Running<ServerSettings> {
  status(): ServerStatus | Promise<ServerStatus>;
}

export async function startServer(
  settings: ServerSettings,
  deps: AgentDeps,
): Promise<ServerRunning | IoFault> {
  const listen = listenAt(settings, deps.log);
  if ('type' in listen) return listen;
  const congestion = settings['transport.congestion'];
  const unusable = congestion === undefined ? undefined : congestionFault(congestion);
  if (unusable !== undefined) deps.log.warn('congestion control', { why: unusable.text });
  const secrets = {
    nonceSecret: systemRandom(NONCE_SECRET_LEN),
    ticketKeys: Buffer.from(systemRandom(TICKET_KEYS_LEN)),
  };
  const parts = { ...deps, settings, secrets, listen };
  const running = await (settings.workers > 1 ? Primary.start(parts) : startAlone(parts));
  if (isIoFault(running)) return running;
  const { listening } = await running.status();
  for (const at of listening) deps.log.info('listening', { at });
  return running;
}

/** Everything in this process. */
async function startAlone(parts: CoreParts): Promise<ServerRunning | IoFault> {
  const { settings, log } = parts;
  const publicAddresses = new PublicAddresses(() => {});
  const core = await ServerCore.make({
    ...parts,
    publicAddress: (address, protocol, isBound) => {
      publicAddresses.take(0, { type: 'public-address', address, protocol, isBound });
    },
  });
  if (isIoFault(core)) return core;
  const listening = await core.listen();
  const relay = isIoFault(listening)
    ? listening
    : await NgRelay.start({
        settings,
        ways: (callId, ways) => core.setWays(callId, ways),
        isBound: (address, protocol) => publicAddresses.has(address, protocol),
        observe: (event) => logNgEvent(log, event),
      });
  if (relay !== undefined && isIoFault(relay)) {
    await core.stop();
    return relay;
  }
  return {
    status: () => ({ ...core.status(), ...(relay && { ng: relay.status() }) }),
    reload: async (next) => {
      const fault = core.reload(next);
      if (fault === undefined) relay?.renew(next);
      return fault;
    },
    drain: () => core.drain(),
    stop: async () => {
      await relay?.stop();
      await core.stop();
    },
  };
}

function listenAt(settings: ServerSettings, log: Log): readonly ListenAt[] | IoFault {
  const { listen, 'stun-udp': stunUdp } = settings;
  if (!listen.includes('systemd')) return listen.filter((at) => at !== 'systemd');
  const passed = passedSockets(process.env, process.pid);
  if ('type' in passed) return passed;
  if (stunUdp && passed.length > 0 && !passed.some(({ kind }) => kind === 'datagram')) {
    log.warn('stun-udp: systemd passed no UDP socket: add ListenDatagram= to tep-server.socket');
  }
  if (passed.some(({ kind }) => kind === 'stream')) return passed;
  const text = 'listen: systemd, but systemd passed no socket: start tep-server.socket';
  return { type: 'io-fault', code: 'ENOTSOCK', text };
}
