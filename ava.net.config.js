// Tests with networks of namespaces and real programs: as root, one after the other.
export default {
  files: ['build/test/net/**/*.test.js'],
  nodeArguments: ['--enable-source-maps'],
  serial: true,
  concurrency: 1,
  // A lab belongs to a process: whatever ends it, the next one finds and removes what is left.
  workerThreads: false,
  // No test done for so long: against a run that hangs.
  timeout: '15m',
};
