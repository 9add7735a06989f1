import test from 'ava';
import { squidSettings, tinyproxySettings } from '../../lab/proxies.ts';

test('squid connects to the ports that it is told, and nothing else', (t) => {
  const text = squidSettings({ program: 'squid', auth: 'open', connectPorts: [443] }, '/run/x');
  t.true(text.includes('\nacl tunnel_ports port 443\n'));
  t.true(text.includes('\nhttp_access deny !CONNECT\nhttp_access deny !tunnel_ports\n'));
  t.false(text.includes('auth_param'));
});

test('squid asks for a password before it allows anything', (t) => {
  for (const auth of ['basic', 'digest'] as const) {
    const text = squidSettings({ program: 'squid', auth, connectPorts: [80, 443] }, '/run/x');
    t.true(text.includes(`auth_param ${auth} program /usr/lib/squid/${auth}_`));
    t.true(text.indexOf('deny !known') < text.indexOf('allow all'));
  }
});

test('tinyproxy has the ports that it is told', (t) => {
  const text = tinyproxySettings({ program: 'tinyproxy', auth: 'open', connectPorts: [443] });
  t.true(text.includes('\nConnectPort 443\n'));
  t.false(text.includes('ConnectPort 80'));
  t.throws(() => tinyproxySettings({ program: 'tinyproxy', auth: 'basic', connectPorts: [] }), {
    instanceOf: RangeError,
  });
});
