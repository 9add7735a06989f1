/**
 * `tep` as a child of the demo: ends with it, whatever ended it.
 *
 *     fork('agent-process.js', ['server', '--config', 'server.yaml'])
 */
process.on('disconnect', () => process.exit(1));
// Listening to it must not keep the process alive.
process.channel?.unref();

await import('../tep.ts');
