import test from 'ava';
import { FlowKeepAlive, recoveryDelayMs } from '../../sip/flow.ts';
import { consentedKeep, flowTimer } from '../../sip/keep.ts';
import { topVia } from '../../sip/via.ts';
import { response, sip } from './vectors.ts';

test('[R-04] [RFC5626] without a bound the first ping comes between 95 and 120 s', (t) => {
  t.is(new FlowKeepAlive(0, () => 0, 1_000).nextTimeout(), 96_000);
  t.is(new FlowKeepAlive(0, () => 0.999, 0).nextTimeout(), 119_975);
});

test('[R-05] [RFC6223] of a bound that was agreed, between 80 and 100 %', (t) => {
  t.is(new FlowKeepAlive(30, () => 0, 0).nextTimeout(), 24_000);
  t.is(new FlowKeepAlive(30, () => 0.5, 0).nextTimeout(), 27_000);
});

test('[R-04] [RFC5626] ping, pong, ping; no pong in 10 s and the flow has failed', (t) => {
  const flow = new FlowKeepAlive(30, () => 0, 0);
  t.is(flow.timeout(23_999), undefined);
  t.is(flow.timeout(24_000), 'ping');
  t.is(flow.nextTimeout(), 34_000);
  flow.pong();
  t.is(flow.nextTimeout(), 48_000);
  t.is(flow.timeout(34_000), undefined);
  t.is(flow.timeout(48_000), 'ping');
  t.is(flow.timeout(57_999), undefined);
  t.is(flow.timeout(58_000), 'failed');
  t.is(flow.timeout(70_000), 'failed');
});

test('[RFC5626] a period shorter than the wait for a pong does not put the failure off', (t) => {
  const flow = new FlowKeepAlive(5, () => 0, 0);
  t.deepEqual([flow.timeout(4_000), flow.timeout(8_000)], ['ping', 'ping']);
  t.is(flow.timeout(14_000), 'failed');
});

test('[RFC6223] a new bound holds from then on; a ping under way stays under way', (t) => {
  const flow = new FlowKeepAlive(100, () => 0, 0);
  flow.setBound(10, 1_000);
  t.is(flow.timeout(9_000), 'ping');
  flow.setBound(100, 9_500);
  t.is(flow.timeout(19_000), 'failed');
});

test('[RFC5626] a flow is opened again after 30 to 60 s, doubling to half an hour', (t) => {
  const least = (failures: number, others: boolean) => recoveryDelayMs(failures, others, () => 0);
  t.deepEqual(
    [1, 2, 3].map((n) => least(n, false)),
    [30_000, 60_000, 120_000],
  );
  t.is(
    recoveryDelayMs(1, false, () => 1),
    60_000,
  );
  t.is(least(1, true), 90_000);
  t.is(least(100, false), 900_000);
});

const answer = (via: string, ...more: readonly string[]) =>
  response(sip(['SIP/2.0 200 OK', `Via: SIP/2.0/TLS a;branch=z9hG4bK1${via}`, ...more]));

function consent(via: string): number | undefined {
  const top = topVia(answer(via));
  return top === undefined ? undefined : consentedKeep(top);
}

test('[R-05] [RFC6223] only keep with a value is consent', (t) => {
  t.is(consent(';keep=30'), 30);
  t.is(consent(';KEEP = 0'), 0);
  t.is(consent(';keep'), undefined);
  t.is(consent(''), undefined);
  t.is(consent(';keep=-1'), undefined);
  t.is(consent(';keep=99999999'), 3_600);
});

test('[RFC5626] Flow-Timer is seconds; what is none means nothing', (t) => {
  t.is(flowTimer(answer('', 'Flow-Timer: 120')), 120);
  for (const none of ['0', 'x', '', '-1'])
    t.is(flowTimer(answer('', `Flow-Timer: ${none}`)), undefined);
  t.is(flowTimer(answer('')), undefined);
});
