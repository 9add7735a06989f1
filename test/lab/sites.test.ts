import test from 'ava';
import { SITE_KINDS, siteOf } from '../../lab/sites.ts';
import { endsOf } from '../../lab/topology.ts';

const SITES = [
  ...SITE_KINDS.map((kind) => ({ name: kind, site: siteOf(kind) })),
  { name: 'no router at all', site: siteOf('open', []) },
];

for (const { name, site } of SITES) {
  test(`${name}: names are unique, every default route leads to a neighbour`, (t) => {
    const { topology } = site;
    const names = topology.hosts.map(({ name }) => name);
    t.is(new Set(names).size, names.length);
    for (const host of topology.hosts) {
      const ends = endsOf(topology, host.name);
      t.is(new Set(ends.map(({ name }) => name)).size, ends.length, host.name);
      const neighbours = topology.links
        .filter((link) => link.ends.some((end) => end.host === host.name))
        .flatMap((link) => link.ends.filter((end) => end.host !== host.name))
        .flatMap((end) => end.addresses.map((address) => address.split('/')[0]));
      for (const route of host.routes ?? []) {
        t.true(neighbours.includes(route.split(' via ')[1]), `${host.name}: ${route}`);
      }
    }
  });
}

test('the server sees the address of the last NAT on the way', (t) => {
  t.deepEqual(siteOf('open').publicUe, { v4: '192.0.2.2', v6: '2001:db8:1::2' });
  t.deepEqual(siteOf('double-nat').publicUe, { v4: '192.0.2.2', v6: '2001:db8:80::2' });
  t.deepEqual(siteOf('web-only').publicUe, { v4: '198.51.100.2', v6: '2001:db8:1::2' });
});

test('behind a proxy it sees that of the proxy', (t) => {
  const { publicUe, proxy } = siteOf('proxy-only');
  t.deepEqual(publicUe, proxy);
});

test("a site may have routers of one's own", (t) => {
  const { topology } = siteOf('open', []);
  t.deepEqual(
    topology.hosts.map(({ name }) => name),
    ['ue', 'server', 'gateway'],
  );
});
