/** Binding and releasing while connections break (tep-wire 5, 7). */
import test from 'ava';
import { Direct, endpoint, udpPacket } from './direct.ts';

test('[W-5] released while it is asked for, and the connection breaks: TEP-S keeps nothing', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.client.bind(endpoint('10.0.0.5:4002'), {}, d.now);
  d.carryFrom(d.client, 1);
  d.client.release(endpoint('10.0.0.5:4002'), 17, d.now);
  d.cut(1);
  d.wait(1000);
  t.is(d.client.state, 'up');
  t.is(d.server.tunnels()[0]?.bindings, 1);
});

test('[W-5] a release that is repeated does not take what was granted in between', (t) => {
  const ports = { first: 20_000, last: 20_000 };
  const d = new Direct({ client: { stripes: 2 }, server: { ports } });
  d.bind('10.0.0.5:4000');
  t.is(d.up.size, 2);
  // TEP-S has released the port; its answer is not on its way yet.
  d.client.release(endpoint('10.0.0.5:4000'), 17, d.now);
  d.carryFrom(d.client, 1);
  t.is(d.server.tunnels()[0]?.bindings, 0);
  // The same port for another application, on the other connection: this one has more to send.
  d.client.bind(endpoint('10.0.0.5:5000'), { protocol: 6 }, d.now);
  t.not(d.client.pending(1, d.now).length, 0);
  d.client.bind(endpoint('10.0.0.5:4002'), {}, d.now);
  d.carryFrom(d.client, 2);
  d.carryFrom(d.server, 2);
  d.cut(1);
  d.wait(1000);
  t.is(d.publicOf('10.0.0.5:4002')?.port, 20_000);
  t.is(d.server.tunnels()[0]?.bindings, 2);
  const media = udpPacket(endpoint('10.0.0.5:4002'), endpoint('198.51.100.9:5000'));
  t.is(d.client.packet(media, 0, media.length, d.now), 0);
  d.run();
  t.is(d.toCore.length, 1);
});
