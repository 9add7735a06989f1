/**
 * TEP-C as it runs beside a phone: the agent with its packet port, its servers and everything that
 * concerns the machine it runs on. Decides little; wires parts together.
 */

import type { AgentDeps, Running } from '../config/running.ts';
import { deadlinesOf } from '../config/shared-keys.ts';
import { besideStatus, statusPath } from '../config/status-path.ts';
import { now } from '../io/clock.ts';
import type { Dial, DialFault } from '../io/dial/types.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { type NetworkWatch, watchNetwork } from '../io/network-watch.ts';
import { farEnd } from '../io/rings/place.ts';
import { congestionFault } from '../io/tcp-options.ts';
import type { ClientStatus } from '../ops/status.ts';
import type { ClientPolicy } from '../session/options.ts';
import { formatEndpoint } from '../wire/address.ts';
import { ClientAgent } from './agent.ts';
import { Discovery } from './discovery.ts';
import { Drain } from './drain.ts';
import { Interception } from './interception.ts';
import { logClientEvent } from './log-events.ts';
import type { ClientEvent } from './options.ts';
import { diversionsOf, isDiverted, mediaOf, type OpenPort, openPackets } from './packets.ts';
import { Servers, serverName } from './servers.ts';
import type { ClientSettings } from './settings.ts';
import type { SipService } from './sip/service.ts';
import { startSidecar } from './sip/start.ts';
import { StaticBinds } from './static-binds.ts';
import { StatusBook } from './status-book.ts';
import { clientAuth, Transport } from './transport.ts';
import { TunnelExceptions } from './tunnel-exceptions.ts';
import { TunnelFile } from './tunnel-file.ts';

type Server = ClientSettings['servers'][number];

/**
 * With media flowing, a connection from which nothing comes back for so long, though asked, is given
 * up: a NAT has forgotten it, or the way is gone. Longer than any round trip of a network with a call
 * in it, and than what a cable pulled for a moment takes.
 */
const SILENT_MS = 8_000;

/** After these a successor needs to know something else. */
const NOTED: ReadonlySet<ClientEvent['type']> = new Set(['opened', 'bound', 'released', 'closed']);

export async function startClient(
  settings: ClientSettings,
  deps: AgentDeps,
): Promise<Running<ClientSettings> | IoFault> {
  const transport = Transport.from(settings, process.env);
  if (isIoFault(transport)) return transport;
  const congestion = settings['transport.congestion'];
  const unusable = congestion === undefined ? undefined : congestionFault(congestion);
  if (unusable !== undefined) deps.log.warn('congestion control', { why: unusable.text });
  const port = await openPackets(settings, deps.failed);
  if (isIoFault(port)) return port;
  const daemon = new ClientDaemon(settings, deps, transport, port);
  const fault = await daemon.startSip();
  if (fault === undefined) return daemon;
  await daemon.stop();
  return fault;
}

class ClientDaemon implements Running<ClientSettings> {
  readonly #deps: AgentDeps;
  readonly #port: OpenPort;
  readonly #servers: Servers<Server>;
  readonly #agent: ClientAgent;
  readonly #static: StaticBinds;
  readonly #file: TunnelFile | undefined;
  readonly #book = new StatusBook();
  readonly #watch: NetworkWatch;
  /** Where packets are taken off the routes of this machine. */
  readonly #interception: Interception | undefined;
  readonly #exceptions: TunnelExceptions | undefined;
  #settings: ClientSettings;
  #transport: Transport;
  #discovery: Discovery | undefined;
  #drain: Drain | undefined;
  #sip: SipService | undefined;
  #isOut = false;

  constructor(settings: ClientSettings, deps: AgentDeps, transport: Transport, port: OpenPort) {
    const { rings } = port;
    this.#settings = settings;
    this.#deps = deps;
    this.#transport = transport;
    this.#port = port;
    if (rings !== undefined) {
      const interception = new Interception(rings, diversionsOf(settings), deps.failed);
      this.#interception = interception;
      this.#exceptions = new TunnelExceptions((except) => interception.except(except));
    }
    const dial = (target: Server) => this.#dial(target);
    this.#servers = new Servers(settings.servers, { dial, clock: now });
    this.#agent = new ClientAgent({
      dial: (conn, _stripe, joins) => this.#servers.dial(conn, joins),
      packets: port.packets,
      tunnel: {
        ...this.#policy(),
        stripes: settings['stripes-least'],
        mostStripes: settings.stripes,
        maxBindings: settings['media.max-bindings'],
        lingerMs: settings.linger,
        media: { deadlinesMs: deadlinesOf(settings) },
        stunAt: settings['stun-at'],
        liveness: { silentMs: SILENT_MS },
      },
      observe: (event) => this.#observe(event),
    });
    this.#file = this.#tunnelFile();
    this.#resume();
    this.#static = new StaticBinds(this.#agent);
    this.#static.set(settings['media.static']);
    this.#watch = this.#watchNetwork();
    this.#discover();
  }

  /** Where the settings ask for it: the phone's outbound proxy. */
  async startSip(): Promise<IoFault | undefined> {
    if (this.#settings['sip.listen'].length === 0) return undefined;
    const sip = await startSidecar({
      settings: () => this.#settings,
      log: this.#deps.log,
      agent: this.#agent,
      port: this.#port,
      udpPasses: () => this.#discovery?.state === 'passes',
      exceptions: this.#exceptions,
    });
    if (isIoFault(sip)) return sip;
    this.#sip = sip;
    return undefined;
  }

  status(): ClientStatus {
    const { current } = this.#servers;
    return this.#book.status({
      kind: this.#settings['packets.port'],
      packets: this.#port.packets,
      maps: this.#port.maps,
      counters: this.#agent.counters,
      tunnel: this.#agent.status(),
      tcpState: (conn) => this.#agent.tcpState(conn),
      quality: (binding, roundTripMs) => this.#agent.quality(binding, roundTripMs),
      server: current && serverName(current),
      discovery: this.#discovery,
      sip: this.#sip?.status(),
    });
  }

  async reload(settings: ClientSettings): Promise<IoFault | undefined> {
    const transport = Transport.from(settings, process.env);
    if (isIoFault(transport)) return transport;
    const fault = this.#sip?.reload(settings);
    if (fault !== undefined) return fault;
    this.#settings = settings;
    this.#transport = transport;
    this.#servers.replace(settings.servers);
    this.#agent.configure(this.#policy());
    this.#static.set(settings['media.static']);
    this.#intercept();
    return undefined;
  }

  drain(): Promise<void> {
    const agent = this.#agent;
    const isBusy = () => agent.status().bindings.length > 0 || (this.#sip?.calls ?? 0) > 0;
    this.#sip?.drain();
    this.#drain ??= new Drain({ counters: agent.counters, isBusy });
    this.#agent.configure(this.#policy());
    return this.#drain.done;
  }

  async stop(): Promise<void> {
    this.#watch.close();
    this.#drain?.close();
    this.#discovery?.close();
    this.#static.close();
    await this.#sip?.stop();
    await this.#agent.stop();
  }

  #tunnelFile(): TunnelFile | undefined {
    const { status, 'tunnel-file': file } = this.#settings;
    const socket = statusPath(status, 'client', process.env, process.getuid?.() ?? 0);
    const beside = socket && besideStatus(socket, 'tunnel');
    const path = file === 'auto' ? beside : file === 'off' ? undefined : file;
    if (path === undefined) return undefined;
    return new TunnelFile(path, ({ text }) => {
      this.#deps.log.warn('the tunnel cannot be noted', { file: path, why: text });
    });
  }

  #resume(): void {
    const noted = this.#file?.read();
    if (noted === undefined || !this.#servers.resume(noted.server)) return;
    const { server, memory } = noted;
    this.#deps.log.info('resuming a tunnel', { server, bindings: memory.bindings.length });
    this.#agent.resume(memory);
  }

  /** What a successor would need has changed. */
  #note(): void {
    const { current } = this.#servers;
    const memory = this.#agent.memory();
    if (current === undefined || memory === undefined) this.#file?.remove();
    else this.#file?.write({ server: serverName(current), memory });
  }

  #policy(): ClientPolicy {
    const s = this.#settings;
    const isNative = s['media.without-tunnel'] === 'native';
    const isFirst = s['media.bind'] === 'first-packet' && this.#drain === undefined;
    return {
      auth: clientAuth(s),
      ...(isFirst && { firstPacket: { to: mediaOf(s), idleMs: s['media.idle'] } }),
      // Sockets have no way to send such answers.
      refuse: !isNative && this.#port.rings !== undefined,
      keepTrying: isNative,
      servers: Math.max(1, s.servers.length),
    };
  }

  /** Once it is sure that the connection itself does not take the tunnel. */
  #dial(target: Server): Dial {
    const transport = this.#transport;
    if (this.#exceptions === undefined) return transport.dial(target);
    const allowed = this.#exceptions.allow(transport.firstHop(target));
    return dialAfter(allowed, () => transport.dial(target));
  }

  #observe(event: ClientEvent): void {
    logClientEvent(this.#deps.log, event);
    this.#book.observe(event);
    this.#static.observe(event);
    this.#sip?.observe(event);
    if (event.type === 'connection-state') {
      if (event.to === 'ready') this.#servers.admitted(event.conn);
      else if (event.to === 'draining' || event.to === 'closed') this.#servers.ended(event.conn);
    } else if (event.type === 'tunnel-state') {
      if (event.event === 'expire') this.#servers.expired();
      else if (event.to === 'closed') this.#servers.closed();
    } else if (event.type === 'outage') {
      this.#isOut = event.on;
      this.#intercept();
    }
    if (NOTED.has(event.type)) this.#note();
  }

  #intercept(): void {
    const isNative = this.#settings['media.without-tunnel'] === 'native';
    this.#interception?.set(!(isNative && this.#isOut));
  }

  #watchNetwork(): NetworkWatch {
    const name = this.#settings['packets.interface'];
    return watchNetwork(
      ({ addressesGone, addressesNew, defaultRoute }) => {
        const gone = addressesGone.join();
        this.#deps.log.info('network changed', { gone, new: addressesNew.join(), defaultRoute });
        this.#agent.networkChanged(addressesGone, addressesNew);
        this.#sip?.networkChanged(addressesGone);
        this.#discover();
      },
      { ignoredLinks: [name, farEnd(name)] },
    );
  }

  #discover(): void {
    const [server] = this.#settings.servers;
    if (!this.#settings['stun.discover'] || server === undefined) return;
    this.#discovery?.close();
    const to = this.#port.rings === undefined ? [] : diversionsOf(this.#settings);
    const told = ({ state, mapped }: Discovery) => {
      const fields = mapped && { mapped: formatEndpoint(mapped) };
      this.#deps.log.info('STUN by UDP', { state, ...fields });
    };
    this.#discovery = new Discovery(server, told, (at) => isDiverted(to, at));
  }
}

const ABANDONED: DialFault = {
  type: 'io-fault',
  stage: 'resolve',
  code: 'ECANCELED',
  text: 'abandoned',
};

function dialAfter(ready: Promise<void>, start: () => Dial): Dial {
  let dial: Dial | undefined;
  let isAbandoned = false;
  const result = ready.then(() => {
    if (isAbandoned) return ABANDONED;
    dial = start();
    return dial.result;
  });
  const abandon = () => {
    isAbandoned = true;
    dial?.abandon();
  };
  return { result, abandon };
}
