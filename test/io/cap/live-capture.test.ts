import test from 'ava';
import { interfaceState } from '../../../io/cap/interface-state.ts';
import { type CaptureEnd, LiveCapture } from '../../../io/cap/live-capture.ts';
import { KINDS } from '../../../io/cap/messages.ts';
import { FakeChild, frameMessage, message, openedMessage } from './child.ts';

interface Run {
  readonly child: FakeChild;
  readonly capture: LiveCapture;
  readonly told: string[];
  readonly ended: Promise<CaptureEnd>;
}

function start(device = 'lo'): Run {
  const child = new FakeChild();
  const told: string[] = [];
  let end: (end: CaptureEnd) => void = () => {};
  const ended = new Promise<CaptureEnd>((resolve) => {
    end = resolve;
  });
  const events = {
    opened: (linkType: number) => void told.push(`opened ${linkType}`),
    frame: (seconds: number, nanoseconds: number, b: Uint8Array, at: number, to: number) =>
      void told.push(`${seconds} ${nanoseconds} ${Buffer.from(b.subarray(at, to))}`),
    ended: end,
  };
  const capture = new LiveCapture({ device, filter: '' }, events, () => child);
  return { child, capture, told, ended };
}

test('frames come with their times; stopping is answered when all are there', async (t) => {
  const { child, capture, told, ended } = start();
  child.say(openedMessage(1), frameMessage(10, 'one'), frameMessage(11, 'two'));
  capture.stop();
  capture.stop();
  t.deepEqual(await ended, { type: 'stopped' });
  t.deepEqual(told, ['opened 1', '10 5000 one', '11 5000 two']);
  t.deepEqual(child.killed, []);
});

test('a process that does not hear is killed, and what it had said counts', async (t) => {
  const { child, capture, told, ended } = start();
  child.asked = () => {};
  child.say(openedMessage(1), frameMessage(10, 'one'));
  capture.stop();
  t.deepEqual(await ended, { type: 'stopped' });
  t.deepEqual(told, ['opened 1', '10 5000 one']);
  t.deepEqual(child.killed, ['SIGKILL']);
});

for (const [said, code] of [
  ['ENOLIBPCAP Cannot find package cap', 'ENOLIBPCAP'],
  ['EPCAP socket: Operation not permitted', 'EPERM'],
  ["EPCAP can't parse filter expression: syntax error", 'EPCAP'],
] as const) {
  test(`it could not begin: ${said}`, async (t) => {
    const { child, told, ended } = start();
    child.say(message(KINDS.FAILED, Buffer.from(said))).end(0, null);
    const text = said.slice(said.indexOf(' ') + 1);
    t.deepEqual(await ended, { type: 'refused', fault: { type: 'io-fault', code, text } });
    t.deepEqual(told, []);
  });
}

test('an abort with the interface gone is the end of the interface', async (t) => {
  const { child, told, ended } = start('no-such-one');
  child.say(openedMessage(1), frameMessage(10, 'kept'));
  child.stderr.write('Assertion `status == 0` failed.\n');
  child.end(null, 'SIGABRT');
  t.deepEqual(await ended, { type: 'interface', state: 'missing' });
  t.deepEqual(told, ['opened 1', '10 5000 kept']);
});

test('an abort while the interface is there is told with what the process said', async (t) => {
  const { child, ended } = start('any');
  child.say(openedMessage(1));
  child.stderr.write('Warning: no IPv4 address\nmalloc(): corrupted\n');
  child.end(null, 'SIGABRT');
  t.deepEqual(await ended, { type: 'crashed', text: 'SIGABRT: malloc(): corrupted' });
});

test('a process that says nonsense is ended, and what it had said before counts', async (t) => {
  const { child, told, ended } = start();
  const nonsense = Buffer.alloc(5, 0xff);
  const rest = Buffer.concat([frameMessage(10, 'kept'), nonsense, frameMessage(11, 'not')]);
  child.say(openedMessage(1), rest);
  t.deepEqual(await ended, { type: 'crashed', text: 'it said what no capture says' });
  t.deepEqual(told, ['opened 1', '10 5000 kept']);
  t.deepEqual(child.killed, ['SIGKILL']);
});

test('a process that cannot be started', async (t) => {
  const { child, ended } = start();
  child.emit('error', new Error('spawn EAGAIN'));
  t.deepEqual(await ended, { type: 'crashed', text: 'spawn EAGAIN' });
});

(process.platform === 'linux' ? test : test.skip)('interfaces: up, missing, any', (t) => {
  t.is(interfaceState('lo'), 'up');
  t.is(interfaceState('no-such-one'), 'missing');
  t.is(interfaceState('a name that is much too long'), 'missing');
  t.is(interfaceState('any'), 'up');
});
