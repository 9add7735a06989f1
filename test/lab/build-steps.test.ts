import test from 'ava';
import { buildSteps, hostsFile, inNamespace } from '../../lab/build-steps.ts';
import type { Topology } from '../../lab/topology.ts';

const TWO: Topology = {
  hosts: [
    { name: 'a', routes: ['default via 10.0.0.1', 'default via 2001:db8::1'] },
    { name: 'b', isRouter: true, ruleset: 'table inet x {\n}\n' },
  ],
  links: [
    {
      ends: [
        { host: 'a', name: 'net', addresses: ['10.0.0.2/24', '2001:db8::2/64'] },
        { host: 'b', name: 'inside', addresses: ['10.0.0.1/24'] },
      ],
      offloads: 'off',
      mtu: 1400,
    },
  ],
};

const steps = buildSteps(TWO, (host) => `ns-${host}`);

test('namespaces first, then links inside them, then addresses and routes, then rules', (t) => {
  const [namespaces, settings, links, offloads, addresses, rules] = steps;
  t.deepEqual(namespaces, [
    { program: 'ip', args: ['-batch', '-'], input: 'netns add ns-a\nnetns add ns-b\n' },
  ]);
  t.is(settings?.length, 2);
  t.deepEqual(links, [
    {
      program: 'ip',
      args: ['-batch', '-'],
      input:
        'link add name net netns ns-a mtu 1400 type veth peer name inside netns ns-b mtu 1400\n',
    },
  ]);
  t.is(offloads?.length, 2);
  t.deepEqual(addresses?.[0], {
    program: 'ip',
    args: ['-n', 'ns-a', '-batch', '-'],
    input: [
      'link set lo up',
      'addr add 10.0.0.2/24 dev net',
      'addr add 2001:db8::2/64 dev net nodad',
      'link set net up',
      'route add default via 10.0.0.1',
      'route add default via 2001:db8::1',
      '',
    ].join('\n'),
  });
  const args = inNamespace('ns-b', 'nft', ['-f', '-']);
  t.deepEqual(rules, [{ program: 'ip', args, input: 'table inet x {\n}\n' }]);
});

test('only routers pass packets on', (t) => {
  const settings = (steps[1] ?? []).map(({ args }) => args.join(' '));
  t.regex(settings[0] ?? '', /ns-a .*ip_forward=0 .*forwarding=0/);
  t.regex(settings[1] ?? '', /ns-b .*ip_forward=1 .*forwarding=1/);
});

test('every step names the namespaces it is about', (t) => {
  for (const { args, input = '' } of steps.flat()) {
    t.regex(`${args.join(' ')} ${input}`, /ns-[ab]/);
  }
});

test('a hosts file has the names of its host, and localhost', (t) => {
  const names = { 'tep.example': ['192.0.2.80', '2001:db8:80::80'] };
  t.is(
    hostsFile({ name: 'a', names }, 'here'),
    '127.0.0.1 localhost here\n::1 localhost\n192.0.2.80 tep.example\n2001:db8:80::80 tep.example\n',
  );
});
