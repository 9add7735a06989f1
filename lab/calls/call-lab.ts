/**
 * A whole laboratory for calls: phones behind firewalls with TEP-C beside them, and a core of stock
 * Kamailio, stock rtpengine, TEP-S and a phone that knows nothing of tunnels.
 *
 *     const lab = await CallLab.build({ firewalls: ['web-only'], folder });
 *     try {
 *       const alice = await lab.startUe(0);
 *       const carol = await lab.startCorePhone();
 *       await alice.call('sip:carol@ims.example');
 *     } finally {
 *       await lab.destroy();
 *     }
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Agent } from '../agent.ts';
import { Phone } from '../baresip.ts';
import { type Certificate, makeCertificate } from '../certificate.ts';
import { Linphone } from '../linphone.ts';
import { Network } from '../network.ts';
import { inUri } from '../place.ts';
import type { Program } from '../program.ts';
import { startProxy } from '../proxies.ts';
import type { LabProgram } from '../requirements.ts';
import type { Access, Family, Firewall } from './access.ts';
import { type Subscriber, startClient, startServer } from './agents.ts';
import { addressOf, type CallSite, callSiteOf, DOMAIN, MEDIA, PCSCF, PHONE } from './call-site.ts';
import { startKamailio, startRtpengine } from './core.ts';

export interface CallLabPlan {
  /** One access network each. */
  readonly firewalls: readonly Firewall[];
  /** What phones and their networks speak; default 4. */
  readonly family?: Family;
  /** For configurations, logs and captures; every user may pass through the folders above it. */
  readonly folder: string;
  /** False: Kamailio talks to rtpengine itself, as if there were no TEP-S. */
  readonly tep?: boolean;
  /** Lines that the configurations of TEP-S and TEP-C have besides, or in place of their own. */
  readonly server?: readonly string[];
  readonly client?: readonly string[];
}

/** In the order of the access networks; the last one's phone is in the core. */
const SUBSCRIBERS: readonly Subscriber[] = ['alice', 'bob', 'carol'].map((name) => ({
  name,
  password: `${name}-secret`,
}));
const CORE_SUBSCRIBER: Subscriber = { name: 'carol', password: 'carol-secret' };

/** What the laboratory runs besides the tools of every network. */
export const CALL_PROGRAMS: readonly LabProgram[] = [
  'kamailio',
  'rtpengine',
  'baresip',
  'squid',
  'tcpdump',
  'openssl',
];

/** As docs/deploy/kamailio.cfg says it. */
const WITHOUT_TEP = { from: 'udp:203.0.113.18:2224', to: 'udp:203.0.113.18:2223' };
const SIP_PORT = 5070;
const RTP_PORTS = { first: 5000, last: 5020 };

export class CallLab {
  readonly site: CallSite;
  readonly network: Network;
  readonly folder: string;
  readonly certificate: Certificate;
  readonly #plan: CallLabPlan;
  kamailio: Program;
  rtpengine: Program;
  /** Undefined without TEP. */
  server: Agent | undefined;

  /** Everything but the phones, up and ready. */
  static async build(plan: CallLabPlan): Promise<CallLab> {
    const { firewalls, folder, tep = true, family = 4 } = plan;
    const site = callSiteOf(firewalls, family);
    const network = await Network.build(site.topology);
    try {
      const certificate = await makeCertificate(folder, [MEDIA.name, PCSCF.name]);
      await startProxies(network, site, folder);
      const rtpengine = await startRtpengine(network, join(folder, 'rtpengine'), family);
      const [server, kamailio] = [
        tep ? await startTep(network, plan, certificate) : undefined,
        await startPcscf(network, plan, certificate),
      ];
      return new CallLab(site, network, plan, certificate, { kamailio, rtpengine, server });
    } catch (error) {
      await network.destroy();
      throw error;
    }
  }

  private constructor(
    site: CallSite,
    network: Network,
    plan: CallLabPlan,
    certificate: Certificate,
    core: {
      readonly kamailio: Program;
      readonly rtpengine: Program;
      readonly server: Agent | undefined;
    },
  ) {
    this.site = site;
    this.network = network;
    this.folder = plan.folder;
    this.#plan = plan;
    this.certificate = certificate;
    this.kamailio = core.kamailio;
    this.rtpengine = core.rtpengine;
    this.server = core.server;
  }

  get family(): Family {
    return this.#plan.family ?? 4;
  }

  access(number: number): Access {
    const access = this.site.accesses[number];
    if (access === undefined) throw new RangeError(`no access network ${number}`);
    return access;
  }

  /** TEP-C beside the phone of an access network. */
  startClient(number: number): Promise<Agent> {
    const access = this.access(number);
    const folder = join(this.folder, access.ue);
    const more = this.#plan.client ?? [];
    const { network, certificate } = this;
    const family = this.family;
    return startClient(network, folder, access, certificate, subscriber(number), family, more);
  }

  /**
   * The softphone of an access network, by way of TEP-C; registered when this resolves.
   * It takes every call, or waits for the command.
   */
  async startUe(number: number, { answers = true } = {}): Promise<Phone> {
    const { ue, privateAddress } = this.access(number);
    const account = await accountLine(subscriber(number), this.family);
    return this.#startPhone(ue, privateAddress, account, answers);
  }

  /** The same without TEP-C: it talks to the P-CSCF directly. */
  startPlainUe(number: number): Promise<Phone> {
    const { ue, privateAddress } = this.access(number);
    return this.#startPhone(ue, privateAddress, directLine(subscriber(number), this.family));
  }

  /** linphonec in its place: a phone with another SIP and RTP stack, by way of TEP-C. */
  async startLinphone(number: number): Promise<Linphone> {
    const { ue, privateAddress } = this.access(number);
    const { name, password } = subscriber(number);
    const phone = await Linphone.start(this.network, {
      ...{ host: ue, user: name, domain: DOMAIN, password, rtpPort: RTP_PORTS.first },
      sip: { address: privateAddress, port: SIP_PORT },
      outboundProxy: { address: '127.0.0.1', port: 5060 },
      folder: join(this.folder, `linphone-${ue}`),
    });
    await phone.registered();
    return phone;
  }

  /** It takes every call, or waits for the command. */
  startCorePhone({ answers = true } = {}): Promise<Phone> {
    const account = directLine(CORE_SUBSCRIBER, this.family);
    return this.#startPhone(PHONE.host, addressOf(PHONE, this.family), account, answers);
  }

  /** Captures of what the P-CSCF received and sent, in clear: one for each of its runs. */
  async clearCaptures(): Promise<string[]> {
    const folder = join(this.folder, 'kamailio');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.pcap'));
    return names.sort().map((name) => join(folder, name));
  }

  async restartKamailio(): Promise<void> {
    await this.kamailio.stop();
    this.kamailio = await startPcscf(this.network, this.#plan, this.certificate);
  }

  async restartRtpengine(): Promise<void> {
    await this.rtpengine.stop();
    const folder = join(this.folder, 'rtpengine');
    this.rtpengine = await startRtpengine(this.network, folder, this.family);
  }

  /** Killed, or asked to end while calls go on. */
  async restartServer(signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    await (signal === 'SIGKILL' ? this.server?.kill() : this.server?.stop());
    this.server = await startTep(this.network, this.#plan, this.certificate);
  }

  /** Ends all programs and removes the network; files stay. May be called twice. */
  destroy(): Promise<void> {
    return this.network.destroy();
  }

  async #startPhone(
    host: string,
    address: string,
    account: string,
    answers = true,
  ): Promise<Phone> {
    const phone = await Phone.start(this.network, {
      host,
      sip: { address, port: SIP_PORT },
      rtpPorts: RTP_PORTS,
      account: `${account};answermode=${answers ? 'auto' : 'manual'};audio_codecs=PCMU`,
      folder: join(this.folder, `baresip-${host}`),
    });
    await phone.registered();
    return phone;
  }
}

function startPcscf(
  network: Network,
  { folder, tep = true, family = 4 }: CallLabPlan,
  certificate: Certificate,
): Promise<Program> {
  const changes = tep ? [] : [WITHOUT_TEP];
  return startKamailio(network, join(folder, 'kamailio'), certificate, family, changes);
}

function startTep(
  network: Network,
  { folder, server = [], family = 4 }: CallLabPlan,
  certificate: Certificate,
): Promise<Agent> {
  return startServer(network, join(folder, 'server'), certificate, SUBSCRIBERS, family, server);
}

function subscriber(number: number): Subscriber {
  const found = SUBSCRIBERS[number];
  if (found === undefined) throw new RangeError(`no subscriber ${number}`);
  return found;
}

/** As somebody with TEP-C beside his softphone has it. */
async function accountLine({ name, password }: Subscriber, family: Family): Promise<string> {
  const file = fileURLToPath(new URL('../../../docs/deploy/baresip/accounts', import.meta.url));
  const text = (await readFile(file, 'utf8')).trim();
  const own = text.replace('sip:alice', `sip:${name}`).replace('alice-secret', password);
  return family === 6 ? own.replace('127.0.0.1', '[::1]') : own;
}

function directLine({ name, password }: Subscriber, family: Family): string {
  const place = inUri({ address: addressOf(PCSCF, family), port: 5060 });
  const proxy = `sip:${place};transport=udp`;
  return `<sip:${name}@${DOMAIN}>;auth_pass=${password};outbound="${proxy}";regint=600`;
}

async function startProxies(network: Network, site: CallSite, folder: string): Promise<void> {
  for (const { proxy } of site.accesses) {
    if (proxy === undefined) continue;
    const plan = { program: 'squid', auth: proxy.auth, connectPorts: [443] } as const;
    await startProxy(network, proxy.host, plan, join(folder, proxy.host));
  }
}
