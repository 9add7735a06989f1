/** Which connection of a phone makes room for another one, and which never does. */
import test from 'ava';
import { PhoneFlows, TRANSACTION_MS } from '../../../sip/sidecar/phone-flows.ts';
import type { Peer } from '../../../sip/sidecar/phones.ts';
import { datagram } from '../vectors.ts';
import { audio, Driver, PEER, requestText, responseText } from './driver.ts';

const LATER = 10 * TRANSACTION_MS;
const CORE = '203.0.113.9:30000';
const BY_TCP: Peer = { ...PEER, transport: 'TCP', conn: 7 };

test('the one that was silent longest makes room, keep-alives count', (t) => {
  const flows = new PhoneFlows();
  for (const conn of [1, 2, 3]) flows.open(conn, conn);
  t.is(flows.spare(nobody, LATER), 1);
  flows.heard(1, LATER);
  t.is(flows.spare(nobody, LATER), 2);
  flows.close(2);
  t.is(flows.size, 2);
  t.is(flows.spare(nobody, LATER), 3);
});

test('never one that is needed, nor one with a transaction', (t) => {
  const flows = new PhoneFlows();
  flows.open(1, 0);
  flows.open(2, 1);
  t.is(
    flows.spare((conn) => conn === 1, 2),
    2,
  );
  flows.message(2, LATER);
  t.is(
    flows.spare((conn) => conn === 1, LATER + TRANSACTION_MS - 1),
    undefined,
  );
  t.is(
    flows.spare((conn) => conn === 1, LATER + TRANSACTION_MS),
    2,
  );
});

test('[R-01] a phone needs its connection as long as it is registered by it', (t) => {
  const d = new Driver();
  d.sidecar.fromPhone(datagram(requestText('phone', 'REGISTER 1', {})), BY_TCP, d.now);
  t.false(d.sidecar.needsPhone(7, d.now));
  const [asked] = d.sent('to-core');
  d.coreAnswers(asked, 200, { more: ['Contact: <sip:alice@127.0.0.1:5070>;expires=600'] });
  t.true(d.sidecar.needsPhone(7, d.now));
  t.false(d.sidecar.needsPhone(8, d.now));
  t.true(d.sidecar.needsPhone(7, d.now + 599_999));
  t.false(d.sidecar.needsPhone(7, d.now + 600_000));
});

for (const sdp of ['', audio('10.0.0.2:4000')]) {
  const offers = sdp === '' ? 'without an offer' : 'with an offer';
  test(`a phone needs its connection in a call ${offers}, until that is over`, (t) => {
    const d = new Driver();
    d.sidecar.fromPhone(datagram(requestText('phone', 'INVITE 1', { sdp })), BY_TCP, d.now);
    t.true(d.sidecar.needsPhone(7, d.now));
    d.settle();
    const [asked] = d.sent('to-core');
    d.coreAnswers(asked, 486);
    t.false(d.sidecar.needsPhone(7, d.now));
  });

  test(`a phone that is called ${offers} needs its connection from its first answer on`, (t) => {
    const d = new Driver();
    // Whereby its contact is known.
    d.sidecar.fromPhone(datagram(requestText('phone', 'OPTIONS 1', {})), BY_TCP, d.now);
    const invite = d.coreAsks('INVITE 1', { sdp: sdp === '' ? '' : audio(CORE) });
    d.sidecar.fromPhone(datagram(responseText(invite, 180, {})), BY_TCP, d.now);
    t.true(d.sidecar.needsPhone(7, d.now));
    d.sidecar.fromPhone(datagram(responseText(invite, 603, {})), BY_TCP, d.now);
    t.false(d.sidecar.needsPhone(7, d.now));
  });
}

function nobody(): boolean {
  return false;
}
