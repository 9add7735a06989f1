/** What must hold of every call, judged by the captures of its hops. */
import type { ExecutionContext } from 'ava';
import { ipOffset, NOT_IP } from '../../io/pcap/link-types.ts';
import { readCapture } from '../../io/pcap/read.ts';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { addressOf, MEDIA, PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import type { HopFile } from '../../lab/calls/hops.ts';
import { type CallMessage, messagesIn } from '../../lab/calls/messages.ts';
import type { StreamQuality } from '../../lab/calls/streams.ts';
import { tepMarks } from '../../sdp/marks.ts';
import { isPrivate, privateAddressesLeft } from '../../sdp/private.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';

/**
 * Sent before the way was open, by who answers and talks at once, or after the other side hung up: half a
 * second, for a machine that is busy.
 */
const MAX_AT_ENDS = 25;

/** Of the softphone and the one in the core, where they speak SIP. */
const PHONE_PORT = 5070;

/** Both ways, with every sequence number. Their order is not judged: rtpengine relays with several threads. */
export function mustBeWhole(
  t: ExecutionContext,
  streams: readonly StreamQuality[],
  atLeast: number,
): void {
  mustHaveNoGaps(t, streams, atLeast);
  for (const { way, lost, ssrc } of streams) {
    t.true(lost <= MAX_AT_ENDS, `${way} ${ssrc.toString(16)}: ${lost} lost at its ends`);
  }
}

/** Both ways, nothing missing between the first and the last that were heard. */
export function mustHaveNoGaps(
  t: ExecutionContext,
  streams: readonly StreamQuality[],
  atLeast: number,
): void {
  for (const way of ['up', 'down'] as const) {
    const ours = streams.filter((stream) => stream.way === way);
    const heard = ours.reduce((sum, stream) => sum + stream.heard, 0);
    t.true(heard >= atLeast, `${way}: ${heard} packets heard: ${JSON.stringify(ours)}`);
  }
  for (const { way, gaps, ssrc } of streams) {
    t.is(gaps, 0, `${way} ${ssrc.toString(16)}: packets missing between others`);
  }
}

/** [M-17] No packet and no description on the core's side shows an address of the phone's network. */
export async function mustHideTopology(
  t: ExecutionContext,
  files: readonly HopFile[],
): Promise<void> {
  const core = files.filter(({ file }) => /\/[3-9]-[^/]*$/.test(file));
  t.true(core.length >= 4);
  for (const { file } of core) {
    t.deepEqual(await privateAddressesIn(file), [], `packets in ${file}`);
    for (const { sdp, title } of await messagesIn(file)) {
      if (sdp === undefined) continue;
      t.deepEqual(privateAddressesLeft(sdp), [], `${title} in ${file}: ${sdp}`);
    }
  }
}

/** Addresses in the headers of its packets that are of nobody's public network; loopback is its host's own. */
async function privateAddressesIn(file: string): Promise<string[]> {
  const found = new Set<string>();
  const view = new PacketView();
  for await (const batch of readCapture(file)) {
    for (const { linkType, b, at, end } of batch) {
      const ip = ipOffset(linkType, b, at, end);
      if (ip === NOT_IP || readPacket(view, b, ip, end) !== 0) continue;
      for (const from of [view.sourceAt, view.destinationAt]) {
        const address = b.slice(from, from + view.addressLength);
        if (isPrivate({ family: view.version, address })) found.add([...address].join('.'));
      }
    }
  }
  return [...found];
}

/** Whether any m= line has a mark. */
export function isMarked({ sdp }: CallMessage): boolean {
  if (sdp === undefined) return false;
  const marks = tepMarks(sdp);
  return Array.isArray(marks) && marks.some(({ marked }) => marked);
}

/** Marks stand between TEP-C and TEP-S where a tunnel is used, and nowhere else (tep-wire 8, M-04). */
export function checkMarks(
  t: ExecutionContext,
  lab: CallLab,
  messages: readonly CallMessage[],
  usesTunnel: boolean,
): void {
  const { publicAddress } = lab.access(0);
  const [pcscf, phone] = [addressOf(PCSCF, lab.family), addressOf(PHONE, lab.family)];
  const none = [
    messages.filter(({ from, to }) => [from.port, to.port].includes(PHONE_PORT)),
    described(messages, pcscf, phone),
    described(messages, phone, pcscf),
  ].flat();
  t.true(none.some(({ sdp }) => sdp !== undefined));
  t.deepEqual(none.filter(isMarked), [], 'phones know nothing of marks');
  const said = described(messages, publicAddress, pcscf);
  t.true(said.length >= 2);
  t.deepEqual(
    said.map(isMarked),
    said.map(() => usesTunnel),
    'TEP-C says that it can, or does',
  );
  const told = described(messages, pcscf, publicAddress);
  t.true(told.length >= 2);
  t.deepEqual(
    told.map(isMarked),
    told.map(({ title }) => usesTunnel && title.startsWith('SIP/2.0')),
    'TEP-S answers that it may',
  );
  t.is(described(messages, PCSCF.address, MEDIA.address).some(isMarked), usesTunnel);
}

/** Those that carry a description from one address to another. */
export function described(
  messages: readonly CallMessage[],
  from: string,
  to: string,
): CallMessage[] {
  return messages.filter(
    (one) => one.sdp !== undefined && one.from.address === from && one.to.address === to,
  );
}
