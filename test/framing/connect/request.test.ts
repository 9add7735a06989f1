import test from 'ava';
import {
  authority,
  DEFAULT_MARKER,
  markerProblem,
  writeConnect,
} from '../../../framing/connect/request.ts';
import { RequestHead } from '../../../framing/http.ts';

function written(host: string, port: number, marker = DEFAULT_MARKER, authorization?: string) {
  const target = authority(host, port) ?? 'no authority';
  return Buffer.from(writeConnect({ authority: target, marker, authorization })).toString('latin1');
}

test('[H-01] [H-02] the marker stands in the CONNECT, by default as User-Agent', (t) => {
  t.is(
    written('tep.example', 80),
    'CONNECT tep.example:80 HTTP/1.1\r\n' +
      'Host: tep.example:80\r\n' +
      'User-Agent: 3GPP-IMS-FS_FIRE/1.0\r\n\r\n',
  );
});

test('[H-02] every carrier that the report names can be the marker', (t) => {
  const marker = [
    'From: ims@operator.example',
    'Pragma: IMS',
    'User-Agent: 3GPP-IMS',
    'Warning: 299 - "IMS traffic"',
    'X-Powered-By: IMS',
    'ALPN: h2, http%2F1.1',
  ];
  for (const line of marker) t.is(markerProblem(line), undefined, line);
  t.true(written('a.example', 443, marker).endsWith(`${marker.join('\r\n')}\r\n\r\n`));
});

test('[H-10] the target is host and port, IPv6 in brackets; our own reader takes it', (t) => {
  for (const [host, port, text] of [
    ['eftf.example', 443, 'eftf.example:443'],
    ['192.0.2.1', 80, '192.0.2.1:80'],
    ['2001:db8::1', 443, '[2001:db8::1]:443'],
    ['::ffff:192.0.2.1', 1, '[::ffff:192.0.2.1]:1'],
    ['eftf.example', 65_535, 'eftf.example:65535'],
  ] as const) {
    const request = written(host, port);
    t.true(request.startsWith(`CONNECT ${text} HTTP/1.1\r\nHost: ${text}\r\n`));
    const head = new RequestHead();
    head.input(Buffer.from(request, 'latin1'), 0, request.length);
    t.is(head.answer?.status, 200, text);
  }
});

test('RFC 9110 9.3.6: what is no host or no port is no target', (t) => {
  const hosts = ['', 'a b', 'a\r\nX: y', 'a/b', 'user@host', '[::1]', 'fe80::1%eth0', 'ü.example'];
  for (const host of [...hosts, 'a'.repeat(256)]) t.is(authority(host, 80), undefined, host);
  for (const port of [0, -1, 65_536, Number.NaN]) t.is(authority('a', port), undefined);
});

test('no header can be slipped in', (t) => {
  for (const line of [
    'no colon',
    'X: a\r\nY: b',
    'X: a\nY: b',
    'X:',
    'X Y: z',
    'X: \0',
    'X: ü',
    'Host: other.example',
    'Proxy-Authorization: Basic eA==',
    'Content-Length: 5',
    'transfer-encoding: chunked',
  ]) {
    t.not(markerProblem(line), undefined, line);
  }
  t.throws(() => writeConnect({ authority: 'a:1', marker: ['X: a\r\nY: b'] }), {
    instanceOf: RangeError,
  });
  const authorization = 'Basic eA==\r\nX: y';
  t.throws(() => writeConnect({ authority: 'a:1', marker: [], authorization }), {
    instanceOf: RangeError,
  });
});
