/** Both agents as processes, TLS between them, time-limited credentials, a telephone and a gateway. */
import type { ExecutionContext } from 'ava';
import { timeLimitedPassword } from '../../../wire/stun/keys.ts';
import { TestAuthority } from '../../certificates.ts';
import type { scratch } from '../../config/scratch.ts';
import { openTalker, type Talker } from '../../daemon/pair.ts';
import { AgentProcess } from './agents.ts';

const SECRET = 'a secret for tests only';
const HOUR_S = 3_600;

export interface Scene {
  readonly folder: string;
  readonly port: number;
  readonly client: AgentProcess;
  readonly server: AgentProcess;
  readonly startServer: () => Promise<AgentProcess>;
  /** A word from the phone to the gateway; it is said until it is heard. */
  readonly say: (word: string) => Promise<void>;
}

export async function begin(
  t: ExecutionContext,
  { folder, file }: ReturnType<typeof scratch>,
  env: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const { certificateFile, keyFile } = await authority.issue();
  const gateway = await talkerOf(t);
  const phone = await talkerOf(t);
  const standIn = await freePort();
  const port = await freePort();
  const name = `${Math.floor(Date.now() / 1_000) + HOUR_S}:alice`;
  file('secret', `${SECRET}\n`);
  file('password', `${timeLimitedPassword(SECRET, name)}\n`);
  const server = `
listen: "127.0.0.1:${port}"
shared-secret-file: secret
addresses.public: 127.0.0.1
media.allow: 127.0.0.1
tls.certificate: ${certificateFile}
tls.key: ${keyFile}
stun-udp: false
status: server.sock
`;
  const client = `
servers: tls://127.0.0.1:${port}
user: "${name}"
password-file: password
packets.port: sockets
maps: 127.0.0.1:${standIn}=127.0.0.1:${gateway.socket.local.port}
tls.ca: ${authority.file}
stun.discover: false
status: client.sock
`;
  file('server.yaml', server);
  file('client.yaml', client);
  const start = async (agent: string) => {
    const started = new AgentProcess(t, [agent, '--config', `${agent}.yaml`], folder, env);
    await started.line(new RegExp(`${agent} is running`));
    return started;
  };
  const at = { family: 4, address: Uint8Array.of(127, 0, 0, 1), port: standIn } as const;
  return {
    folder,
    port: Number(port),
    server: await start('server'),
    client: await start('client'),
    startServer: () => start('server'),
    say: async (word) => {
      const timer = setInterval(() => phone.say(word, at), 100);
      await gateway.hear(word).finally(() => clearInterval(timer));
    },
  };
}

async function talkerOf(t: ExecutionContext): Promise<Talker> {
  const talker = await openTalker('127.0.0.1');
  t.teardown(() => talker.socket.close());
  return talker;
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const talker = await openTalker('127.0.0.1');
  const { port } = talker.socket.local;
  await talker.socket.close();
  return port;
}
