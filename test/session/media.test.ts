import test from 'ava';
import { Direct, endpoint, udpPacket } from './direct.ts';

test('[M-11] [M-14] source becomes the public address, destination the address of the UE', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000', { pair: true });
  const pub = d.publicOf('10.0.0.5:4000');
  if (!pub) return t.fail();
  const core = endpoint('198.51.100.9:5000');
  const p = udpPacket(endpoint('10.0.0.5:4000'), core);
  t.is(d.client.packet(p, 0, p.length, d.now), 0);
  d.run();
  t.deepEqual(d.toCore[0]?.octets, udpPacket(pub, core));
  const q = udpPacket(core, pub);
  t.is(d.server.packet(q, 0, q.length, d.now), 0);
  d.run();
  t.deepEqual(d.toUe[0]?.octets, udpPacket(core, endpoint('10.0.0.5:4000')));
});
