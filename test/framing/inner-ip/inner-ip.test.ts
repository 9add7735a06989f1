import test from 'ava';
import { CHANNELS } from '../../../framing/framing.ts';
import { innerIp } from '../../../framing/inner-ip/inner-ip.ts';
import { FAULTS } from '../../../wire/faults.ts';
import { complies } from '../compliance.ts';
import { INDICATION, ipv4Record, ipv6Record, stunRecord } from '../records.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

complies({
  framing: innerIp,
  payload(channel, length) {
    if (channel === CHANNELS.IP) return length < 20 ? undefined : ipv4Record(length);
    return length < 20 || length > 1500 ? undefined : stunRecord(length);
  },
  records: [INDICATION, ipv4Record(200), stunRecord(20), ipv4Record(60, 15), ipv6Record(40, 59)],
  overlong: [hex('60 00 00 00 ff d8'), stunRecord(1504).subarray(0, 4)],
  bad: [
    ['a first octet of no kind', hex('80'), FAULTS.FRAME_UNKNOWN],
    ['STUN of a method that no one has', hex('02'), FAULTS.FRAME_UNKNOWN],
    ['IPv4 header shorter than 20', hex('44'), FAULTS.FRAME_UNKNOWN],
    ['STUN longer than 1,500', hex('00 01 06'), FAULTS.STUN_LENGTH],
    ['STUN of 1,504', hex('00 01 05 cc'), FAULTS.STUN_LENGTH],
    ['STUN length not a multiple of 4', hex('00 01 00 06'), FAULTS.STUN_LENGTH],
    ['first octet of the cookie', hex('00 01 00 00 20'), FAULTS.STUN_COOKIE],
    ['last octet of the cookie', hex('00 01 00 00 2112a443'), FAULTS.STUN_COOKIE],
    ['IPv4 shorter than its header', hex('46 00 00 17'), FAULTS.FRAME_IP_LENGTH],
    ['IPv4 header checksum', brokenSum(), FAULTS.FRAME_IP_CHECKSUM],
    ['GET, which has IHL 7', Buffer.from(`GET /${'x'.repeat(23)}`), FAULTS.FRAME_IP_CHECKSUM],
    ['IPv6 above 65,535', hex('60 00 00 00 ff d8'), FAULTS.FRAME_TOO_LONG],
    ['IPv6 jumbogram', hex('60 00 00 00 00 00 00'), FAULTS.FRAME_IP_LENGTH],
  ],
  speech: ['stun', 'inner-ip'],
  capture: 'pcmu-call.pcap',
  cannot: {
    'CONTROL of 0': 'a STUN message has a header of 20 octets',
    'CONTROL of 1': 'a STUN message has a header of 20 octets',
    'CONTROL of 65535': 'a STUN message may have 1,500 octets',
    'IP of 0': 'an IP packet has a header of at least 20 octets',
    'IP of 1': 'an IP packet has a header of at least 20 octets',
  },
});

test('inner-ip: what would not arrive as the record that it is, is not written', (t) => {
  const packet = ipv4Record(40);
  const message = stunRecord(40);
  const out = new Uint8Array(64).fill(0xa5);
  const { CONTROL, IP } = CHANNELS;
  t.is(innerIp.wrap(IP, packet, 0, 39, out, 0), 0, 'shorter than it says');
  t.is(innerIp.wrap(IP, Buffer.concat([packet, message]), 0, 80, out, 0), 0, 'longer');
  t.is(innerIp.wrap(IP, brokenSum(), 0, 20, out, 0), 0, 'header checksum');
  t.is(innerIp.wrap(IP, message, 0, 40, out, 0), 0, 'STUN as IP');
  t.is(innerIp.wrap(CONTROL, packet, 0, 40, out, 0), 0, 'IP as STUN');
  t.true(out.every((octet) => octet === 0xa5));
});

function brokenSum(): Buffer {
  const header = ipv4Record(20);
  header.writeUInt8(header.readUInt8(19) ^ 0x01, 19);
  return header;
}
