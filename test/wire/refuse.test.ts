/** Answers to packets that do not get through (RFC 1122 3.2.2, RFC 4443 2.4, RFC 9293 3.10.7.1; G-22). */
import { Buffer } from 'node:buffer';
import test from 'ava';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { MAX_REFUSAL_LEN, writeRefusal } from '../../wire/refuse.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import * as tcp from '../../wire/tcp.ts';
import { seededRandom } from '../sim/random.ts';
import {
  hex,
  icmpError,
  ipPacket,
  oracleChecksum,
  POISON,
  udpDatagram,
  vector,
} from './packets.ts';

const UE = Uint8Array.of(192, 168, 1, 7);
const AGW = Uint8Array.of(198, 51, 100, 100);
const UE6 = hex('fd000000000000000000000000000007');
const AGW6 = hex('20010db8006400000000000000000064');
const AT = 32;

/** The answer to a packet; the octets around it are as they were. */
function answerTo(packet: Uint8Array): Uint8Array {
  const view = new PacketView();
  if (readPacket(view, packet, 0, packet.length) !== 0) throw new RangeError('bad test');
  const before = Uint8Array.from(packet);
  const out = new Uint8Array(AT + MAX_REFUSAL_LEN + AT).fill(POISON);
  const length = writeRefusal(out, AT, packet, view);
  if (![...out.subarray(0, AT), ...out.subarray(AT + length)].every((o) => o === POISON)) {
    throw new RangeError('octets around the answer were written');
  }
  if (Buffer.compare(before, packet) !== 0) throw new RangeError('the packet was changed');
  return out.slice(AT, AT + length);
}

test('[RFC1812] IPv4 media: communication administratively prohibited, from where it was sent to', (t) => {
  const packet = vector('udp4');
  const answer = answerTo(packet);
  // By hand: 45 00, length 88, id 0, DF, TTL 64, ICMP; type 3 code 13; the whole packet.
  const embedded = [3, 13, 0, 0, 0, 0, 0, 0, ...packet];
  embedded.splice(2, 2, ...word(oracleChecksum(embedded)));
  const head = [0x45, 0, 0, 88, 0, 0, 0x40, 0, 64, 1];
  const sum = word(oracleChecksum(head, AGW, UE));
  t.deepEqual(answer, Uint8Array.from([...head, ...sum, ...AGW, ...UE, ...embedded]));
});

test('[RFC4443] IPv6 media: ICMPv6 with a checksum over the pseudo header', (t) => {
  const packet = vector('udp6');
  const answer = answerTo(packet);
  const view = new PacketView();
  t.is(readPacket(view, answer, 0, answer.length), 0);
  t.is(checksumsRight(answer, view), 0);
  t.deepEqual([...answer.subarray(40, 42)], [1, 1]);
  t.deepEqual(answer.subarray(48), packet);
  t.deepEqual(answer.subarray(8, 24), packet.subarray(24, 40));
  t.deepEqual(answer.subarray(24, 40), packet.subarray(8, 24));
});

test('[RFC1812] [RFC4443] a long packet is cut: the answer has 576 or 1,280 octets', (t) => {
  const four = { source: UE, destination: AGW, sourcePort: 4000, destinationPort: 5000 };
  const udp4 = ipPacket(UE, AGW, 17, udpDatagram(four, new Uint8Array(1400)));
  t.is(answerTo(udp4).length, 576);
  const [source, destination] = [UE6, AGW6];
  const six = { source, destination, sourcePort: 4000, destinationPort: 5000 };
  const udp6 = ipPacket(source, destination, 17, udpDatagram(six, new Uint8Array(1400)));
  const answer = answerTo(udp6);
  t.is(answer.length, 1280);
  const view = new PacketView();
  t.is(readPacket(view, answer, 0, answer.length) || checksumsRight(answer, view), 0);
});

for (const version of [4, 6]) {
  test(`[RFC9293] a SYN is reset, IPv${version}`, (t) => {
    const syn = version === 4 ? vector('tcp4-syn') : synOverIpv6();
    const answer = answerTo(syn);
    const view = new PacketView();
    t.is(readPacket(view, answer, 0, answer.length) || checksumsRight(answer, view), 0);
    const at = view.transport;
    t.is(tcp.flags(answer, at), tcp.FLAGS.RST | tcp.FLAGS.ACK);
    t.is(tcp.sequence(answer, at), 0);
    t.is(tcp.acknowledgement(answer, at), 0x0102_0305);
    const synAt = version === 4 ? 20 : 40;
    t.is(view.sourcePort, tcp.dstPort(syn, synAt));
    t.is(view.destinationPort, tcp.srcPort(syn, synAt));
    t.is(answer.length, synAt + 20);
  });
}

test('[RFC9293] the reset acknowledges the data of the SYN too, beyond 2^32', (t) => {
  const header = hex('0b27 c000 fffffffe 00000000 5002 faf0 0000 0000');
  const answer = answerTo(ipPacket(UE, AGW, 6, Uint8Array.from([...header, 1, 2, 3])));
  t.is(tcp.acknowledgement(answer, 20), 2);
});

test('[RFC9293] no reset is answered to anything but an opening SYN', (t) => {
  for (const flags of ['12', '04', '10', '11', '18', '06', '01']) {
    const segment = hex(`0b27 c000 01020304 05060708 50${flags} faf0 0000 0000`);
    t.is(answerTo(ipPacket(UE, AGW, 6, segment)).length, 0, flags);
  }
});

test('[RFC1122] [RFC4443] no answer to an ICMP error', (t) => {
  t.is(answerTo(icmpError(AGW, UE, vector('udp4'))).length, 0);
  t.is(answerTo(icmpError(AGW6, UE6, vector('udp6'))).length, 0);
});

test('[RFC1122] [RFC4443] no answer where an address stands for no single host', (t) => {
  const none = ['00000000', 'e0000001', 'ffffffff', 'f0000001'].map(hex);
  const none6 = ['00'.repeat(16), `ff02${'00'.repeat(13)}01`].map(hex);
  for (const other of [...none, ...none6]) {
    const host = other.length === 4 ? UE : UE6;
    for (const [source, destination] of [
      [other, host],
      [host, other],
    ] as const) {
      const flow = { source, destination, sourcePort: 4000, destinationPort: 5000 };
      const packet = ipPacket(source, destination, 17, udpDatagram(flow, new Uint8Array(10)));
      t.is(answerTo(packet).length, 0, `${source} ${destination}`);
    }
  }
});

test('[RFC792] what is answered is read again as an error about the packet, 10,000 times', (t) => {
  const random = seededRandom(7);
  const view = new PacketView();
  for (let i = 0; i < 10_000; i++) {
    const [source, destination] = random.chance(0.5) ? [UE, AGW] : [UE6, AGW6];
    const [sourcePort, destinationPort] = [1 + random.below(65_535), random.below(65_536)];
    const flow = { source, destination, sourcePort, destinationPort };
    const payload = random.octets(random.below(60));
    const packet = ipPacket(source, destination, 17, udpDatagram(flow, payload));
    const answer = answerTo(packet);
    const fault = readPacket(view, answer, 0, answer.length) || checksumsRight(answer, view);
    if (fault !== 0) t.fail(`${fault}`);
    t.true(view.isIcmpError);
    t.is(view.embeddedSourcePort, sourcePort);
    t.is(view.embeddedDestinationPort, destinationPort);
  }
});

function synOverIpv6(): Uint8Array {
  const segment = hex('0b27 c000 01020304 00000000 6002 faf0 beef 0000 020405b4');
  return ipPacket(UE6, AGW6, 6, segment);
}

function word(v: number): number[] {
  return [v >> 8, v & 0xff];
}
