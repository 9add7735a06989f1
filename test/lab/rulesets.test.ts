import test from 'ava';
import { replacingRuleset, rulesetOf } from '../../lab/rulesets.ts';

test('a NAT that keeps ports, for IPv4', (t) => {
  const text = rulesetOf({ nat: { kind: 'port-restricted', outside: 'outside' } });
  t.is(
    text,
    `table inet router {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "outside" meta nfproto ipv4 meta l4proto { tcp, udp } masquerade
    oifname "outside" meta nfproto ipv4 masquerade
  }
}
`,
  );
});

test('a symmetric NAT for both families, with ports of its own', (t) => {
  const ports = { first: 40_000, last: 40_999 };
  const nat = { kind: 'symmetric', ipv6: true, outside: 'wan0', ports } as const;
  t.true(
    rulesetOf({ nat }).includes(
      '    oifname "wan0" meta l4proto { tcp, udp } masquerade to :40000-40999 random,fully-random\n',
    ),
  );
});

test('a firewall lets in only what answers, and says so or not', (t) => {
  const pass = [
    { from: 'a', to: 'b', protocol: 'tcp', ports: [80, 443] },
    { from: 'b', to: 'c', protocol: 'udp' },
  ] as const;
  const silent = rulesetOf({ firewall: { pass, refusal: 'drop' } });
  t.is(
    silent,
    `table inet router {
  chain passing {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "a" oifname "b" tcp dport { 80, 443 } accept
    iifname "b" oifname "c" meta l4proto udp accept
  }
}
`,
  );
  const loud = rulesetOf({ firewall: { pass, refusal: 'reject' } });
  t.true(loud.includes('    meta l4proto tcp reject with tcp reset\n'));
  t.true(loud.includes('    reject with icmpx type admin-prohibited\n'));
});

test('rules that replace others take them away first', (t) => {
  t.true(replacingRuleset({}).startsWith('flush ruleset\ntable inet router {\n'));
});
