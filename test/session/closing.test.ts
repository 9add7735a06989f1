/** Closing while something else is under way (tep-wire 7; standards M-18). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { Direct, endpoint } from './direct.ts';

test('[M-18] a stripe that is let in while the tunnel is being closed opens nothing', (t) => {
  const d = new Direct({ client: { stripes: 3 } });
  d.bind('10.0.0.5:4000');
  d.cut(2);
  d.now += 1000;
  d.client.timeout(d.now);
  const joining = 4;
  let wanted = 0;
  for (let o = d.client.poll(); o !== undefined; o = d.client.poll()) {
    if (o.type === 'connect') wanted = o.conn;
  }
  t.is(wanted, joining);
  d.up.add(joining);
  d.server.accepted(joining, endpoint('192.0.2.7:40009'), d.now);
  d.client.connected(joining, d.now);
  d.carryFrom(d.client, joining);
  d.carryFrom(d.server, joining);
  d.carryFrom(d.client, joining);
  t.is(d.server.tunnels()[0]?.connections, 3);
  d.client.close(d.now);
  d.carryFrom(d.server, joining);
  t.is(d.client.state, 'closing');
  d.run();
  t.is(d.client.state, 'closed');
  t.is(d.said('opened').length, 1);
  t.is(d.client.counters.of(FAULTS.ILLEGAL_EVENT), 0);
  t.is(d.up.size, 0);
});

test('[M-18] a stripe that is lost while the tunnel is being closed is not asked for again', (t) => {
  const d = new Direct({ client: { stripes: 2 } });
  d.bind('10.0.0.5:4000');
  d.wait(10_000);
  d.client.close(d.now);
  d.cut(2);
  d.run();
  t.is(d.client.state, 'closed');
  t.is(d.said('connect').length, 2);
});
