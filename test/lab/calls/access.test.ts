import test from 'ava';
import { FIREWALLS, type Firewall } from '../../../lab/calls/access.ts';
import { callSiteOf, MEDIA, PCSCF } from '../../../lab/calls/call-site.ts';

/** What proxies want to know. */
const AUTH: Readonly<Partial<Record<Firewall, 'open' | 'basic'>>> = {
  'proxy-only': 'open',
  'web-proxy': 'basic',
};

for (const firewall of FIREWALLS) {
  test(`a phone behind ${firewall}: its network is joined to the core at both ends`, (t) => {
    const { topology, accesses } = callSiteOf([firewall]);
    const names = topology.hosts.map(({ name }) => name);
    t.is(new Set(names).size, names.length);
    for (const { ends } of topology.links)
      for (const { host } of ends) t.true(names.includes(host));
    const [access] = accesses;
    t.is(access?.privateAddress, '10.0.0.2');
    t.regex(access?.publicAddress ?? '', /^198\.51\.100\./);
    t.is(access?.proxy?.auth, AUTH[firewall]);
    t.deepEqual(topology.hosts.find(({ name }) => name === 'ue')?.names?.[PCSCF.name], [
      PCSCF.address,
    ]);
    const addresses = topology.links.flatMap(({ ends }) => ends.flatMap((end) => end.addresses));
    t.is(new Set(addresses).size, addresses.length, 'no address twice');
    t.true(addresses.some((one) => one.startsWith(`${MEDIA.address}/`)));
  });
}

test('two networks: the same private address, other public ones, other names', (t) => {
  const { accesses } = callSiteOf(['web-only', 'web-proxy']);
  t.deepEqual(
    accesses.map(({ ue, privateAddress, publicAddress }) => [ue, privateAddress, publicAddress]),
    [
      ['ue', '10.0.0.2', '198.51.100.2'],
      ['ue2', '10.0.0.2', '198.51.101.130'],
    ],
  );
});

test('over IPv6: the phone has a unique local address, which its NAT translates, and no IPv4 at all', (t) => {
  for (const firewall of FIREWALLS) {
    const { topology, accesses } = callSiteOf([firewall], 6);
    const [access] = accesses;
    t.is(access?.privateAddress, 'fd00:1::2');
    t.regex(access?.publicAddress ?? '', /^2001:db8:1:/);
    const { ruleset } = topology.hosts.find(({ name }) => name === 'nat') ?? {};
    t.false(ruleset?.includes('nfproto ipv4'));
    const addresses = topology.links.flatMap(({ ends }) => ends.flatMap((end) => end.addresses));
    t.is(new Set(addresses).size, addresses.length, 'no address twice');
    t.true(addresses.includes(`${MEDIA.address6}/64`));
    const own = topology.links.flatMap(({ ends }) => ends.filter(({ host }) => host === 'ue'));
    t.false(own.some((end) => end.addresses.some((one) => one.includes('.'))));
  }
});
