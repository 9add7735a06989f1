/** What TEP-S asks the gateway by itself. */
import test, { type ExecutionContext } from 'ava';
import { readDatagram } from '../../../framing/ng/message.ts';
import { now } from '../../../io/clock.ts';
import { Calls } from '../../../tep-server/ng/calls.ts';
import type { Command } from '../../../tep-server/ng/command.ts';
import { describe } from '../../../tep-server/ng/description.ts';
import { Survey } from '../../../tep-server/ng/survey.ts';
import { until } from '../service.ts';
import { sdpOf } from './descriptions.ts';
import { Gateway } from './gateway.ts';
import { command } from './proxies.ts';

const UE = { address: '198.51.100.9', port: 50_000, can: true };
const NEAR = { address: '203.0.113.1', port: 30_000 };

async function scene(t: ExecutionContext) {
  const gateway = await Gateway.open(t);
  const ended: string[] = [];
  const told: boolean[] = [];
  const events = {
    ways: () => {},
    opened: () => {},
    crowdedOut: () => {},
    ended: (callId: string, why: string) => ended.push(`${callId} ${why}`),
  };
  const calls = new Calls(events, () => true);
  const survey = () => {
    const made = new Survey({
      gateway: {
        transport: 'udp',
        at: { family: 4, address: Uint8Array.of(127, 0, 0, 1), port: gateway.port },
      },
      calls,
      isOurs: (address) => address[0] === 198,
      answers: (yes) => told.push(yes),
      remembered: () => {},
    });
    t.teardown(() => made.stop());
    return made;
  };
  return { gateway, calls, ended, told, survey };
}

/** A call with ways that nothing was heard of for so long. */
function silent(calls: Calls, callId: string, ms: number): void {
  const command = { callId, fromTag: 'a', branch: '', towards: undefined };
  const [said, told] = [describe(Buffer.from(sdpOf(UE))), describe(Buffer.from(sdpOf(NEAR)))];
  if (said === undefined || told === undefined) throw new RangeError();
  const first: Command = { ...command, name: 'offer', toTag: undefined };
  const second: Command = { ...command, name: 'answer', toTag: 'b' };
  calls.settled(first, said, told, now() - ms);
  calls.settled(second, told, told, now() - ms);
}

test('[M-10] a call that the gateway has forgotten is over here too, and only when it was silent', async (t) => {
  const { gateway, calls, ended, survey } = await scene(t);
  silent(calls, 'old', 61_000);
  silent(calls, 'young', 1_000);
  t.is(calls.ways, 4);
  gateway.answers.query = { result: 'error', 'error-reason': 'Unknown call-id' };
  survey();
  await until(() => ended.length > 0);
  t.deepEqual(ended, ['old gone']);
  t.is(calls.ways, 2);
});

test('[M-10] a call that the gateway has, and one about which it does not answer, stay', async (t) => {
  const { gateway, calls, ended, told, survey } = await scene(t);
  silent(calls, 'old', 61_000);
  gateway.answers.query = { result: 'ok' };
  const one = survey();
  await until(() => calls.heardSince('old', now() - 60_000));
  await one.stop();
  // Calls stand in the order in which they were heard of.
  silent(calls, 'old', 61_000);
  silent(calls, 'other', 61_000);
  delete gateway.answers.query;
  survey();
  await until(() => told.includes(false));
  t.deepEqual(ended, []);
  t.is(calls.ways, 4);
});

test('[M-10] a call that somebody ended by a foreign name is asked about at once, and goes when it is gone', async (t) => {
  const { gateway, calls, ended, survey } = await scene(t);
  silent(calls, 'kept', 0);
  silent(calls, 'gone', 0);
  const names = { name: 'delete', fromTag: 'x', toTag: undefined, branch: '', towards: undefined };
  calls.deleted({ ...names, callId: 'kept' });
  gateway.answers.query = { result: 'ok' };
  const first = survey();
  await until(() => calls.doubtful(0, 10).length === 0);
  await first.stop();
  calls.deleted({ ...names, callId: 'gone' });
  gateway.answers.query = { result: 'error', 'error-reason': 'Unknown call-id' };
  survey();
  await until(() => ended.length > 0);
  t.deepEqual(ended, ['gone gone']);
  t.is(calls.ways, 2);
});

test('[M-10] a call that ends while the gateway is asked about it does not begin again by the answer', async (t) => {
  const { gateway, calls, ended, survey } = await scene(t);
  silent(calls, 'old', 61_000);
  const one = survey();
  await until(() => gateway.heard.length === 1);
  const [octets = Buffer.alloc(0)] = gateway.heard;
  const question = readDatagram(octets, 0, octets.length);
  if (typeof question === 'number') throw new RangeError();
  const names = { callId: 'old', fromTag: 'a', toTag: 'b', branch: '', towards: undefined };
  calls.deleted({ ...names, name: 'delete' });
  gateway.say(command(question.cookie, { result: 'ok' }));
  // Resolves when the answer has been read.
  await one.stop();
  t.deepEqual(ended, ['old deleted']);
  t.is(calls.size, 0);
});
