import test from 'ava';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { putUdpHeaders, UDP_HEADERS_LEN, writeUdpPacket } from '../../wire/build.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { hex, vector } from './packets.ts';

function endpoint(text: string): Endpoint {
  const found = parseEndpoint(text);
  if (found === undefined) throw new RangeError('bad test');
  return found;
}

const UE = endpoint('192.168.1.7:16384');
const AGW = endpoint('198.51.100.100:40000');
const UE6 = endpoint('[fd00::7]:16384');
const AGW6 = endpoint('[2001:db8:64::64]:40000');

test('[M-14] an IPv4 packet is the one made by hand but for its identification', (t) => {
  const wanted = Uint8Array.from(vector('udp4'));
  wanted.set(hex('0000'), 4);
  wanted.set(hex('4db2'), 10);
  const out = new Uint8Array(100).fill(0xa5);
  const length = writeUdpPacket(out, 10, UE, AGW, vector('udp4'), 28, 60, { trafficClass: 0xb8 });
  t.is(length, 60);
  t.deepEqual(out.slice(10, 70), wanted);
  t.true(out.subarray(0, 10).every((o) => o === 0xa5));
  t.true(out.subarray(70).every((o) => o === 0xa5));
});

test('[M-14] an IPv6 packet is the one made by hand but for its flow label', (t) => {
  const wanted = Uint8Array.from(vector('udp6'));
  wanted.set(hex('6b800000'), 0);
  wanted[7] = 9;
  const out = new Uint8Array(100).fill(0xa5);
  const fields = { trafficClass: 0xb8, ttl: 9 };
  t.is(writeUdpPacket(out, 10, UE6, AGW6, vector('udp6'), 48, 80, fields), 80);
  t.deepEqual(out.slice(10, 90), wanted);
});

test('[M-14] the longest payloads fit, one octet more does not', (t) => {
  const payload = new Uint8Array(70_000).fill(0xff);
  const out = new Uint8Array(70_000);
  for (const [from, to, most, header] of [
    [UE, AGW, 65_507, 28],
    [UE6, AGW6, 65_527, 48],
  ] as const) {
    const length = writeUdpPacket(out, 0, from, to, payload, 0, most);
    t.is(length, most + header);
    const view = new PacketView();
    t.is(readPacket(view, out, 0, length), 0);
    t.is(checksumsRight(out, view), 0);
    t.throws(() => writeUdpPacket(out, 0, from, to, payload, 0, most + 1), {
      instanceOf: RangeError,
    });
  }
});

test('[RFC768] a checksum that comes out as zero is written as ones', (t) => {
  const out = new Uint8Array(30);
  const view = new PacketView();
  let ones = 0;
  for (let v = 0; v < 65_536; v++) {
    const length = writeUdpPacket(out, 0, UE, AGW, Uint8Array.of(v >> 8, v), 0, 2);
    readPacket(view, out, 0, length);
    if (out[26] === 0xff && out[27] === 0xff) ones += 1;
    if (checksumsRight(out, view) !== 0) t.fail(String(v));
  }
  // 65,536 values of the payload word give 65,535 different sums; none of them is sent as zero.
  t.true(ones >= 1);
});

test('arguments that cannot make a packet are exceptions', (t) => {
  const out = new Uint8Array(40);
  const payload = new Uint8Array(20);
  t.throws(() => writeUdpPacket(out, 0, UE, AGW6, payload, 0, 1), { instanceOf: RangeError });
  t.throws(() => writeUdpPacket(out, 0, UE, AGW, payload, 0, 13), { instanceOf: RangeError });
  t.throws(() => writeUdpPacket(out, 0, UE, AGW, payload, 5, 4), { instanceOf: RangeError });
  for (const wrong of [
    { ...UE, address: UE6.address },
    { ...UE, address: new Uint8Array(3) },
  ]) {
    t.throws(() => writeUdpPacket(out, 0, wrong, AGW, payload, 0, 1), { instanceOf: RangeError });
    t.throws(() => writeUdpPacket(out, 0, UE, wrong, payload, 0, 1), { instanceOf: RangeError });
  }
  t.is(writeUdpPacket(out, 0, UE, AGW, payload, 0, 12), 40);
});

test('headers are put in front of a payload where it lies, and nowhere else', (t) => {
  for (const [from, to, headers] of [
    [UE, AGW, 28],
    [UE6, AGW6, UDP_HEADERS_LEN],
  ] as const) {
    for (const length of [0, 1, 31, 172]) {
      const payload = Uint8Array.from({ length }, (_, i) => i);
      const b = new Uint8Array(300).fill(0xa5);
      b.set(payload, 64);
      const start = putUdpHeaders(b, 64, 64 + length, from, to);
      t.is(start, 64 - headers);
      const copied = new Uint8Array(300).fill(0xa5);
      t.is(writeUdpPacket(copied, start, from, to, payload, 0, length), headers + length);
      t.deepEqual(b, copied);
    }
    t.throws(() => putUdpHeaders(new Uint8Array(300), headers - 1, 200, from, to), {
      instanceOf: RangeError,
    });
  }
});
