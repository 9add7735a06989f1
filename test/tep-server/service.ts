/** TEP-S as `tep server` would run it, from settings that are written as flags; and clients of it. */
import type { ExecutionContext } from 'ava';
import { readSettings } from '../../config/read.ts';
import { isIoFault } from '../../io/io-fault.ts';
import type { Fields, Log } from '../../ops/log.ts';
import type { ServerStatus } from '../../ops/status.ts';
import { type ServerRunning, startServer } from '../../tep-server/daemon.ts';
import { checkServer, SERVER_KEYS, type ServerSettings } from '../../tep-server/settings.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { scratch } from '../config/scratch.ts';

export const USERS = 'alice:a password for tests only\nbob:another one\n';

const LOCAL = [
  ['--listen', '127.0.0.1:0'],
  ['--addresses-public', '127.0.0.1'],
  ['--media-allow', '127.0.0.1'],
] as const;

export interface Service {
  readonly server: ServerRunning;
  readonly at: Endpoint;
  readonly settings: ServerSettings;
  /** Lines of the log. */
  readonly lines: readonly string[];
  /** Of a server in one process. */
  status(): ServerStatus;
}

/** Settings on loopback, where the flags say nothing else. */
export function settingsOf(t: ExecutionContext, ...flags: readonly string[]): ServerSettings {
  const { folder, file } = scratch(t);
  const hasUsers = flags.includes('--users') || flags.includes('--auth');
  const users = hasUsers ? [] : ['--users', file('users', USERS)];
  // Beside a media gateway the calls say where media may go.
  const isSaid = (flag: string) =>
    flags.includes(flag) || (flag === '--media-allow' && flags.includes('--ng-listen'));
  const local = LOCAL.filter(([flag]) => !isSaid(flag)).flat();
  const args = [...local, ...users, ...flags];
  const sources = { args, env: {}, folder, defaultFile: `${folder}/none.yaml` };
  const { settings, problems } = readSettings(SERVER_KEYS, checkServer, sources);
  if (settings === undefined) throw new Error(problems.map(({ text }) => text).join('\n'));
  return settings;
}

export async function startService(
  t: ExecutionContext,
  settings: ServerSettings,
): Promise<Service> {
  const lines: string[] = [];
  const failed = (fault: { readonly text: string }) => t.fail(fault.text);
  const server = await startServer(settings, { log: logInto(lines), failed });
  if (isIoFault(server)) throw new Error(server.text);
  t.teardown(() => server.stop());
  const status = () => server.status() as ServerStatus;
  const { listening } = await server.status();
  const at = parseEndpoint(listening[0] ?? '');
  if (at === undefined) throw new Error('it listens nowhere');
  return { server, at, settings, lines, status };
}

export function logInto(lines: string[]): Log {
  const write = (text: string, fields: Fields = {}) => {
    lines.push(
      [text, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' '),
    );
  };
  return { error: write, warn: write, info: write, debug: write };
}

/** Polls until it is so; the time limit of the run applies. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
