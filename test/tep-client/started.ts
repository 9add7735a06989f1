/** A TEP-C as its command runs it, and what it logs. */
import type { ExecutionContext } from 'ava';
import { readSettings } from '../../config/read.ts';
import type { Running } from '../../config/running.ts';
import type { Fields, Level, Log } from '../../ops/log.ts';
import type { ClientStatus } from '../../ops/status.ts';
import { startClient } from '../../tep-client/daemon.ts';
import { CLIENT_KEYS, type ClientSettings, checkClient } from '../../tep-client/settings.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { Diary } from '../daemon/diary.ts';
import { must, PASSWORD, type Pair } from '../daemon/pair.ts';

type Line = {
  [L in Level]: { readonly type: L; readonly text: string; readonly fields: Fields };
}[Level];

export class LogDiary extends Diary<Line> implements Log {
  readonly error = this.#level('error');
  readonly warn = this.#level('warn');
  readonly info = this.#level('info');
  readonly debug = this.#level('debug');

  #level<L extends Level>(type: L) {
    return (text: string, fields: Fields = {}) => this.add({ type, text, fields } as Line);
  }

  said(text: string): Line[] {
    return this.events.filter((line) => line.text === text);
  }
}

export function urlOf({ listening }: Pick<Pair, 'listening'>): string {
  return `tcp://${formatEndpoint(listening)}`;
}

export function settingsOf(...args: string[]): ClientSettings {
  const reading = readSettings(CLIENT_KEYS, checkClient, {
    args: ['--packets-port=sockets', '--user=alice', '--connect=never', '--status=off', ...args],
    env: { TEP_PASSWORD: PASSWORD },
    folder: '/',
    defaultFile: '/there/is/no/such/file',
  });
  if (reading.settings === undefined) throw new Error(JSON.stringify(reading.problems));
  return reading.settings;
}

export async function start(t: ExecutionContext, ...args: string[]) {
  const log = new LogDiary();
  const deps = { log, failed: (fault: object) => t.fail(JSON.stringify(fault)) };
  const running: Running<ClientSettings> = must(await startClient(settingsOf(...args), deps));
  t.teardown(() => running.stop());
  return { running, log, status: () => running.status() as ClientStatus };
}
