/**
 * CONNECT through a proxy, or to a TEP-S itself: asks, answers what the proxy wants to know, and
 * hands the connection on only after a positive answer (H-07). Never more than a few requests for
 * one connection, whatever the proxy says.
 */
import type { Socket } from 'node:net';
import { type Answer, AnswerReader } from '../../framing/connect/answer.ts';
import { parseChallenges } from '../../framing/connect/challenges.ts';
import type { ProxyLogin, Verdict } from '../../framing/connect/login.ts';
import { writeConnect } from '../../framing/connect/request.ts';
import { type IoFault, ioFault, isIoFault } from '../io-fault.ts';
import type { Attempt } from './attempt.ts';
import { brokenText, refusalText } from './connect-texts.ts';
import type { DialFault } from './types.ts';

/** Without credentials, with them, and once more because a nonce or a kept connection was too old. */
const MAX_REQUESTS = 4;

export interface ConnectWay {
  /** How texts call who is asked. */
  readonly name: string;
  readonly authority: string;
  readonly marker: readonly string[];
  readonly login: ProxyLogin | undefined;
  readonly open: () => Promise<Socket | DialFault>;
}

export async function connectThrough(
  way: ConnectWay,
  attempt: Attempt,
): Promise<Socket | DialFault> {
  const { authority, marker, login } = way;
  let socket = await way.open();
  let isFresh = true;
  let hasAnswered = false;
  for (let requests = 1; ; requests++) {
    if (isIoFault(socket)) return socket;
    const authorization = login?.authorization(authority);
    const request = writeConnect({ authority, marker, authorization });
    const answer = await ask(way, socket, request, attempt);
    if (answer.type === 'tunnel') return socket;
    const next = judge(way, answer, { authorization, isFresh, hasAnswered });
    if (isIoFault(next) || requests === MAX_REQUESTS) {
      socket.destroy();
      return isIoFault(next) ? { stage: 'proxy', ...next } : tooMany(way);
    }
    hasAnswered ||= next.answered;
    isFresh = !next.reuse;
    if (isFresh) {
      socket.destroy();
      socket = await way.open();
    }
  }
}

interface Sent {
  readonly authorization: string | undefined;
  /** The connection carried no request before. */
  readonly isFresh: boolean;
  readonly hasAnswered: boolean;
}

interface Next {
  /** A challenge will be answered with the next request. */
  readonly answered: boolean;
  /** On the same connection. */
  readonly reuse: boolean;
}

/** Whether to ask again, and where; a fault when not. */
function judge(
  way: ConnectWay,
  answer: Exclude<Answer, { type: 'tunnel' }> | IoFault,
  sent: Sent,
): Next | IoFault {
  if (answer.type !== 'refused') {
    // A proxy may close a connection that it kept open, just when we use it again.
    if (!sent.isFresh) return { answered: false, reuse: false };
    return answer.type === 'io-fault' ? answer : brokenFault(way, answer.fault);
  }
  const verdict = judgeChallenges(way, answer, sent);
  if (verdict === 'answer') return { answered: true, reuse: answer.reusable };
  return {
    type: 'io-fault',
    code: `HTTP ${answer.status}`,
    text: refusalText(way, answer, verdict),
  };
}

/** Only 407 asks for an answer; a 401 is how tinyproxy says that the answer was wrong. */
function judgeChallenges(
  { login }: ConnectWay,
  { status, challenges }: Extract<Answer, { type: 'refused' }>,
  { authorization, hasAnswered }: Sent,
): Verdict | 'no-login' {
  if (status !== 407) return 'refused';
  if (login === undefined) return 'no-login';
  return login.challenged(parseChallenges(challenges), authorization, hasAnswered);
}

function brokenFault(way: ConnectWay, fault: Parameters<typeof brokenText>[1]): IoFault {
  return { type: 'io-fault', code: 'EPROTO', text: brokenText(way, fault) };
}

function tooMany({ name }: ConnectWay): DialFault {
  const text = `${name} asks again and again for credentials and is never content`;
  return { type: 'io-fault', stage: 'proxy', code: 'HTTP 407', text };
}

function ask(
  { name, authority }: ConnectWay,
  socket: Socket,
  request: Uint8Array,
  attempt: Attempt,
): Promise<Answer | DialFault> {
  const step = {
    stage: 'proxy',
    doing: `waiting for the answer of ${name} to CONNECT ${authority}`,
    whenSlow: 'it may be overloaded, or find no way to the server',
  } as const;
  return attempt.step<Answer>(step, (finish) => exchange(socket, request, finish));
}

/** Sends a request and reads its answer; octets behind that stay in the socket, which is paused. */
function exchange(
  socket: Socket,
  request: Uint8Array,
  finish: (answer: Answer | IoFault) => void,
): () => void {
  const reader = new AnswerReader();
  const onData = (chunk: Buffer) => {
    const read = reader.input(chunk, 0, chunk.length);
    if (reader.answer !== undefined) settle(reader.answer, chunk.subarray(read));
  };
  const onEnd = () => {
    reader.end();
    if (reader.answer !== undefined) settle(reader.answer);
  };
  const onError = (error: Error) => settle(ioFault(error));
  const settle = (answer: Answer | IoFault, rest: Uint8Array = new Uint8Array(0)) => {
    socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError).pause();
    if (rest.length > 0) socket.unshift(rest);
    // Octets that nobody asked for: what they answer is not known.
    const isDirty = rest.length > 0 && answer.type === 'refused';
    finish(isDirty ? { ...answer, reusable: false } : answer);
  };
  socket.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onError);
  socket.resume();
  socket.write(request);
  return () => socket.destroy();
}
