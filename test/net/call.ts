/**
 * A call through the tunnel, seen from both sides: two talkers that know every octet, two telephones and
 * on wish two cameras, with captures where the packets leave the phone and where they reach the core.
 */
import { join } from 'node:path';
import { Phone } from '../../lab/baresip.ts';
import { CaptureRun } from '../../lab/capture.ts';
import type { Network } from '../../lab/network.ts';
import { inUri, type Place } from '../../lab/place.ts';
import { NET, type Site } from '../../lab/sites.ts';
import { type FamilyName, stunPlace } from './agents.ts';
import { compare, complaint } from './media/compare.ts';
import { type Datagram, datagramsOf } from './media/datagrams.ts';
import { receiveVideo, sendVideo } from './media/ffmpeg.ts';
import { Talker } from './media/talker.ts';
import { until } from './until.ts';

export interface CallPlan {
  readonly network: Network;
  readonly site: Site;
  readonly family: FamilyName;
  readonly folder: string;
  /** Interface of the agent on the phone's host, by which packets enter the tunnel. */
  readonly agentInterface: string;
  readonly withVideo: boolean;
}

/** A second and a half. */
const PACKETS = 75;
const UP = 0x75700001;
const DOWN = 0x646e0002;
const SIP_PORT = 5060;
/** Of the fifty that a telephone sends in the second that it talks. */
const AUDIO_PACKETS = 40;
const VIDEO_SECONDS = 2;
/** Half of what is sent: the receiver wants a second to know the stream. */
const PICTURES = 20;
const DECODED_MS = 30_000;

const UE_PORTS = { talker: 4000, camera: 4100, screen: 4200, phone: { first: 5000, last: 5020 } };
const CORE_PORTS = {
  talker: 30_000,
  camera: 31_000,
  screen: 32_000,
  phone: { first: 33_000, last: 33_020 },
};

export interface CallResult {
  /** What was not as it should be. */
  readonly faults: readonly string[];
  /** Packets that crossed, both ways together. */
  readonly packets: number;
  /** Where the talker on the phone's host was seen. */
  readonly publicAddress: string;
}

/** Holds the call; throws only where it cannot even begin. */
export async function holdCall(plan: CallPlan): Promise<CallResult> {
  const { network, family, folder, site, agentInterface } = plan;
  const filter = `udp and not port ${SIP_PORT} and not port ${stunPlace(site, family).port}`;
  const files = { ue: join(folder, 'ue.pcap'), core: join(folder, 'core.pcap') };
  const captures = await Promise.all([
    CaptureRun.start(network, { host: 'ue', interface: agentInterface, file: files.ue, filter }),
    CaptureRun.start(network, { host: 'gateway', interface: NET, file: files.core, filter }),
  ]);
  const ends = await openTalkers(plan);
  const video = plan.withVideo ? watchVideo(plan) : Promise.resolve([]);
  const [phoneFaults, videoFaults] = await Promise.all([telephone(plan), video, talk(ends)]);
  await lastWords(ends);
  await Promise.all(captures.map((capture) => capture.stop()));
  const talked = await talkFaults(ends);
  await Promise.all([ends.ue.stop(), ends.core.stop()]);
  const { faults, packets } = await compareSides(plan, files);
  return {
    faults: [...talked, ...phoneFaults, ...videoFaults, ...faults],
    packets,
    publicAddress: ends.publicAddress.address,
  };
}

interface Ends {
  readonly ue: Talker;
  readonly core: Talker;
  readonly publicAddress: Place;
}

async function openTalkers({ network, site, family, folder }: CallPlan): Promise<Ends> {
  const at = (host: 'ue' | 'gateway', port: number) =>
    Talker.start(network, host, { address: site[host][family], port }, join(folder, 'talker.log'));
  const [ue, core] = await Promise.all([
    at('ue', UE_PORTS.talker),
    at('gateway', CORE_PORTS.talker),
  ]);
  const publicAddress = await ue.publicAddress(stunPlace(site, family));
  return { ue, core, publicAddress };
}

async function talk({ ue, core, publicAddress }: Ends): Promise<void> {
  ue.talk(core.at, UP, PACKETS);
  core.talk(publicAddress, DOWN, PACKETS);
  await Promise.all([ue.said(), core.said()]);
}

/**
 * One packet more each way when everybody else has ended: what arrives last on one connection tells that
 * all before it has.
 */
async function lastWords({ ue, core, publicAddress }: Ends): Promise<void> {
  ue.talk(core.at, UP + 1, 1);
  core.talk(publicAddress, DOWN + 1, 1);
  await until(async () => (await core.heard(UP + 1)) !== undefined);
  await until(async () => (await ue.heard(DOWN + 1)) !== undefined);
}

async function talkFaults({ ue, core, publicAddress }: Ends): Promise<string[]> {
  const faults: string[] = [];
  const up = await core.heard(UP);
  const down = await ue.heard(DOWN);
  if (up?.packets !== PACKETS || up.outOfOrder > 0) faults.push(`up: ${JSON.stringify(up)}`);
  if (down?.packets !== PACKETS || down.outOfOrder > 0) {
    faults.push(`down: ${JSON.stringify(down)}`);
  }
  const seen = `${publicAddress.address} ${publicAddress.port}`;
  if (up?.from.join() !== seen) faults.push(`seen as ${up?.from.join()}, told ${seen}`);
  const answerer = `${core.at.address} ${core.at.port}`;
  if (down?.from.join() !== answerer) faults.push(`answered by ${down?.from.join()}`);
  return faults;
}

/** Both telephones talk for more than a second; the one behind the tunnel learns its addresses by STUN. */
async function telephone({ network, site, family, folder }: CallPlan): Promise<string[]> {
  const stun = stunPlace(site, family);
  const sip = (host: 'ue' | 'gateway') => ({ address: site[host][family], port: SIP_PORT });
  const caller = await Phone.start(network, {
    host: 'ue',
    sip: sip('ue'),
    rtpPorts: UE_PORTS.phone,
    account: `${account('ue', sip('ue'))};medianat=stun;stunserver="stun:${inUri(stun)}"`,
    folder: join(folder, 'baresip-ue'),
  });
  const callee = await Phone.start(network, {
    host: 'gateway',
    sip: sip('gateway'),
    rtpPorts: CORE_PORTS.phone,
    account: account('gw', sip('gateway')),
    folder: join(folder, 'baresip-core'),
  });
  await caller.call(`sip:gw@${inUri(sip('gateway'))}`);
  await callee.talkedFor(2);
  const heard = { caller: await caller.stop(), callee: await callee.stop() };
  return Math.min(heard.caller, heard.callee) < AUDIO_PACKETS
    ? [`telephones received ${JSON.stringify(heard)}`]
    : [];
}

/** One that registers nowhere, and takes every call. */
function account(user: string, sip: Place): string {
  return `<sip:${user}@${inUri(sip)}>;regint=0;answermode=auto;audio_codecs=PCMU`;
}

/** A camera on each side, and a screen on the other that must show pictures. */
async function watchVideo(plan: CallPlan): Promise<string[]> {
  const { network, site, family, folder } = plan;
  const place = (host: 'ue' | 'gateway', port: number) => ({ address: site[host][family], port });
  const screenPlace = await publicPlaceOf(plan, place('ue', UE_PORTS.screen));
  const reportPlace = await publicPlaceOf(plan, place('ue', UE_PORTS.screen + 1));
  const screens = await Promise.all([
    receiveVideo(network, 'ue', place('ue', UE_PORTS.screen), folder),
    receiveVideo(network, 'gateway', place('gateway', CORE_PORTS.screen), folder),
  ]);
  const log = join(folder, 'camera.log');
  const [down, up] = [place('gateway', CORE_PORTS.camera), place('ue', UE_PORTS.camera)];
  const target = place('gateway', CORE_PORTS.screen);
  await Promise.all([
    sendVideo(network, 'gateway', down, [screenPlace, reportPlace.port], VIDEO_SECONDS, log),
    sendVideo(network, 'ue', up, [target, target.port + 1], VIDEO_SECONDS, log),
  ]);
  // Decoding takes its time, and begins late on a busy machine.
  await until(() => screens.every(({ pictures }) => pictures >= PICTURES), DECODED_MS).catch(
    () => {},
  );
  const dark = screens.filter(({ pictures }) => pictures < PICTURES);
  await Promise.all(screens.map((screen) => screen.stop()));
  return dark.map((screen) => `${screen.name}: ${screen.pictures} pictures`);
}

/** Asked for from the socket's own port, before the one who needs it has it. */
async function publicPlaceOf({ network, site, family }: CallPlan, at: Place): Promise<Place> {
  const asker = await Talker.start(network, 'ue', at);
  const place = await asker.publicAddress(stunPlace(site, family));
  await asker.stop();
  return place;
}

async function compareSides(
  { site, family }: CallPlan,
  files: { readonly ue: string; readonly core: string },
): Promise<{ faults: string[]; packets: number }> {
  const [ue, core] = await Promise.all([datagramsOf(files.ue), datagramsOf(files.core)]);
  const isFrom = (address: string) => (d: Datagram) => d.from.startsWith(`${address} `);
  const isTo = (address: string) => (d: Datagram) => d.to.startsWith(`${address} `);
  const { ue: phone, gateway } = site;
  const up = compare(ue.filter(isFrom(phone[family])), core.filter(isTo(gateway[family])));
  const down = compare(core.filter(isFrom(gateway[family])), ue.filter(isTo(phone[family])));
  const faults = [complaint('up', up), complaint('down', down)].filter((f) => f !== undefined);
  return { faults, packets: up.arrived + down.arrived };
}
