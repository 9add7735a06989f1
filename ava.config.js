export default {
  files: ['build/test/**/*.test.js', '!build/test/net/**', '!build/test/call/**'],
  nodeArguments: ['--enable-source-maps'],
  // Against a run that hangs, no measure: no test done for so long, on however busy a machine.
  timeout: '3m',
};
