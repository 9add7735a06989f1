/** What both ends of the calls of the bench need to write and read SIP. */

let nextPort = 20_000;

/** Each call has ports of its own. */
export function description(address: string, seed: number): string {
  nextPort = nextPort >= 30_000 ? 20_000 : nextPort + 2;
  const lines = [
    ...['v=0', `o=- ${seed} 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0'],
    ...[`m=audio ${nextPort} RTP/AVP 0 101`, 'a=rtpmap:101 telephone-event/8000', 'a=sendrecv'],
  ];
  return `${lines.join('\r\n')}\r\n`;
}

export function field(text: string, name: string): string {
  const at = text.indexOf(`\r\n${name}: `);
  return at < 0 ? '' : text.slice(at + name.length + 4, text.indexOf('\r\n', at + 2));
}
