import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

/** What a machine does that koffi has no binary for. */
const WITHOUT_KOFFI = `import Module from 'node:module';
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (name === 'koffi') throw new Error('no binary for this machine\\nRequire stack:\\n- libc.js');
    return load(name, ...rest);
  };`;

test('where koffi does not load, whatever needs it says so, and nothing else does', async (t) => {
  const base = new URL('../../../', import.meta.url);
  const program = `const [{ libc }, { openRings }, { UdpSockets }] = await Promise.all([
      import('${base}io/kernel/libc.js'),
      import('${base}io/rings/rings.js'),
      import('${base}io/udp-sockets.js'),
    ]);
    const rings = await openRings({ routing: { kind: 'capture' } });
    const at = { family: 4, address: Uint8Array.of(127, 0, 0, 1), port: 0 };
    const sockets = new UdpSockets((n) => new Uint8Array(n));
    const socket = await sockets.listen(1, at);
    await sockets.close();
    console.log(JSON.stringify([libc(), rings, socket.family]));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--import=data:text/javascript,${encodeURIComponent(WITHOUT_KOFFI)}`,
    '--input-type=module',
    '--eval',
    program,
  ]);
  const fault = {
    type: 'io-fault',
    code: 'ENOSYS',
    text: 'no system calls by koffi: no binary for this machine',
  };
  t.deepEqual(JSON.parse(stdout), [fault, fault, 4]);
});
