#!/usr/bin/env node
/**
 * The program `tep`: joins the dispatcher to the process. What commands may
 * know of the process stands in process-world.ts.
 */
import { EXIT, type World } from './command.ts';
import { complain } from './complain.ts';
import { dispatch } from './dispatch.ts';
import { PROCESS } from './process-world.ts';

/** What a shell shows for a program that a signal ended: 128 + its number. */
const EXIT_SIGINT = 130;
const EXIT_SIGPIPE = 141;

process.on('uncaughtException', (error) => {
  report(error);
  process.exit(EXIT.FAILED);
});
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A command that goes on without it says so by listening itself.
    if (stream.listenerCount('error') > 1) return;
    // `tep … | head`: the reader went away, which is no error of ours.
    if (error.code === 'EPIPE') process.exit(EXIT_SIGPIPE);
    // A full disk behind `tep … > file`: no error of ours either, but one to be told.
    complain(world, `the output cannot be written: ${error.message}`);
    process.exit(EXIT.FAILED);
  });
}

// Told to read its configuration again before it has read it once, a service must not end by that: the
// system would end it. When it has begun, it listens itself (agent/service.ts).
if (isService(process.argv[2])) process.on('SIGHUP', () => {});

let interrupt: AbortSignal | undefined;
const world: World = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  get interrupt() {
    interrupt ??= takeInterrupt();
    return interrupt;
  },
  process: PROCESS,
};

process.exitCode = await dispatch(process.argv.slice(2), world).catch((error: unknown) => {
  report(error);
  // Something may still be open that would keep the process alive.
  process.exit(EXIT.FAILED);
});

function isService(name: string | undefined): boolean {
  return name === 'client' || name === 'server';
}

/** The first Ctrl-C asks the command to end; the second ends the process. */
function takeInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
    process.once('SIGINT', () => process.exit(EXIT_SIGINT));
  });
  return controller.signal;
}

function report(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  complain(process, `internal error: ${text}`);
  if (process.env.TEP_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}
