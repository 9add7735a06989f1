import test from 'ava';
import { CLASS_NAMES, MEDIA_CLASSES } from '../../../session/media/classes.ts';
import { FlowClassifier } from '../../../session/media/flow-classifier.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import { endpoint } from '../direct.ts';

const FROM = endpoint('10.0.0.2:4000');
const TO = endpoint('192.0.2.9:30000');

interface Rtp {
  readonly type: number;
  readonly timestamp?: number;
  readonly length?: number;
}

function rtp({ type, timestamp = 0, length = 172 }: Rtp): Uint8Array {
  const payload = Buffer.alloc(length);
  payload.writeUInt16BE(0x8000 | type, 0);
  payload.writeUInt32BE(timestamp, 4);
  return payload;
}

function classOf(flow: FlowClassifier, payload: Uint8Array): string {
  const b = new Uint8Array(payload.length + 48);
  const end = writeUdpPacket(b, 0, FROM, TO, payload, 0, payload.length);
  const view = new PacketView();
  if (readPacket(view, b, 0, end) !== 0) throw new Error('no packet');
  return CLASS_NAMES[flow.classOf(b, view)];
}

const STUN = Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.alloc(12)]);

const TABLE: readonly (readonly [string, Uint8Array, string])[] = [
  ['STUN with its cookie', STUN, 'stun'],
  ['zeros that are no STUN', Buffer.alloc(40), 'other'],
  ['the beginning of STUN', STUN.subarray(0, 19), 'other'],
  ['a DTLS handshake', Buffer.from([22, 254, 253]), 'stun'],
  ['what DTLS protects', Buffer.from([23, 254, 253]), 'other'],
  ['ZRTP', Buffer.from([16, 0, 0]), 'stun'],
  ['a TURN channel', Buffer.from([64, 0, 0, 1]), 'other'],
  ['an RTCP sender report', Buffer.from([0x80, 200, 0, 0]), 'rtcp'],
  ['PCMU', rtp({ type: 0 }), 'audio'],
  ['PCMA with the marker', rtp({ type: 8 | 0x80 }), 'audio'],
  ['G.729', rtp({ type: 18, length: 32 }), 'audio'],
  ['H.261', rtp({ type: 31, length: 100 }), 'video'],
  ['H.263', rtp({ type: 34, length: 100 }), 'video'],
  ['MPEG transport stream', rtp({ type: 33, length: 1328 }), 'video'],
  ['a dynamic type, first packet short', rtp({ type: 96, length: 60 }), 'audio'],
  ['a dynamic type, first packet long', rtp({ type: 96, length: 1200 }), 'video'],
  ['half an RTP header', rtp({ type: 0 }).subarray(0, 11), 'other'],
  ['nothing at all', new Uint8Array(0), 'other'],
];

for (const [what, payload, expected] of TABLE) {
  test(`[G-25] ${what} is ${expected}`, (t) => {
    t.is(classOf(new FlowClassifier(), payload), expected);
  });
}

test('[G-25] speech stays audio, whatever its length below 700 octets', (t) => {
  const flow = new FlowClassifier();
  for (let i = 0; i < 200; i++) {
    const length = 40 + ((i * 97) % 600);
    t.is(classOf(flow, rtp({ type: 104, timestamp: i * 160, length })), 'audio');
  }
});

test('[G-25] pieces of one timestamp are video, though none is long', (t) => {
  const flow = new FlowClassifier();
  const seen = [];
  for (let frame = 0; frame < 3; frame++) {
    for (let piece = 0; piece < 3; piece++) {
      seen.push(classOf(flow, rtp({ type: 97, timestamp: frame * 3000, length: 500 })));
    }
  }
  t.deepEqual(seen.slice(1), new Array(8).fill('video'));
});

test('[G-25] video with some short frames stays video, telephone events stay audio', (t) => {
  const flow = new FlowClassifier();
  for (let i = 0; i < 10; i++) classOf(flow, rtp({ type: 98, timestamp: i, length: 1200 }));
  for (let i = 0; i < 20; i++) {
    t.is(classOf(flow, rtp({ type: 98, timestamp: 100 + i, length: 90 })), 'video');
  }
  for (let i = 0; i < 20; i++) t.is(classOf(flow, rtp({ type: 101, length: 16 })), 'audio');
});

test('[G-25] audio and video of one bundle are told apart by payload type', (t) => {
  const flow = new FlowClassifier();
  for (let i = 0; i < 50; i++) {
    t.is(classOf(flow, rtp({ type: 96, timestamp: i * 3000, length: 1100 })), 'video');
    t.is(classOf(flow, rtp({ type: 111, timestamp: i * 960, length: 120 })), 'audio');
  }
});

test('[G-25] what the description says of a flow goes before what its RTP looks like', (t) => {
  const flow = new FlowClassifier();
  const small = rtp({ type: 96, length: 60 });
  const long = rtp({ type: 96, length: 1_200 });
  flow.declared = MEDIA_CLASSES.VIDEO;
  t.is(classOf(flow, small), 'video');
  t.is(classOf(flow, rtp({ type: 0 })), 'video');
  flow.declared = MEDIA_CLASSES.AUDIO;
  t.is(classOf(flow, long), 'audio');
  t.is(classOf(flow, STUN), 'stun');
  t.is(classOf(flow, Buffer.from([0x80, 200, 0, 0])), 'rtcp');
  t.is(classOf(flow, Buffer.from([23, 254, 253])), 'other');
  flow.declared = undefined;
  t.is(classOf(flow, long), 'video');
});
