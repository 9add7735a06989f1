/**
 * The test vectors of RFC 5769 2.1–2.4 and of RFC 8489 B.1 (the last one as erratum 6268 corrects it:
 * the printed one has a wrong length and an HMAC made with that wrong length), and a
 * keep-alive (RFC 8445 clause 11).
 */
import { Buffer } from 'node:buffer';

export const TRANSACTION_ID = hex('b7e7a701bc34d686fa87dfae');
/** For 2.1–2.3, short-term: the key is the password itself. */
export const SHORT_TERM_KEY = Buffer.from('VOkJxbRl1RmTxUk/WvJxBt');
export const USERNAME = '\u30de\u30c8\u30ea\u30c3\u30af\u30b9';
/** As typed; `TheMatrIX` when prepared. */
export const PASSWORD = 'The\u00adM\u00aatr\u2168';
export const PREPARED_PASSWORD = 'TheMatrIX';
export const REALM = 'example.org';

export const REQUEST = hex(
  '000100582112a442b7e7a701bc34d686fa87dfae' +
    '802200105354554e207465737420636c69656e74' +
    '002400046e0001ff' +
    '80290008932ff9b151263b36' +
    '000600096576746a3a68367659202020' +
    '000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2' +
    '80280004e57a3bcf',
);
export const RESPONSE_IPV4 = hex(
  '0101003c2112a442b7e7a701bc34d686fa87dfae' +
    '8022000b7465737420766563746f7220' +
    '002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7' +
    '80280004c07d4c96',
);
export const RESPONSE_IPV6 = hex(
  '010100482112a442b7e7a701bc34d686fa87dfae' +
    '8022000b7465737420766563746f7220' +
    '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9' +
    '00080014a382954e4be67bf11784c97c8292c275bfe3ed41' +
    '80280004c8fb0b4c',
);
export const LONG_TERM = hex(
  '000100602112a44278ad3433c6ad72c029da412e' +
    '00060012e3839ee38388e383aae38383e382afe382b90000' +
    '0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341' +
    '0014000b6578616d706c652e6f726700' +
    '00080014f67024656dd64a3e02b8e0712e85c9a28ca89666',
);
export const LONG_TERM_SHA256 = hex(
  '000100902112a44278ad3433c6ad72c029da412e' +
    '001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704' +
    '001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473' +
    '41000000' +
    '0014000b6578616d706c652e6f726700' +
    '001d000400020000' +
    '001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65',
);
export const KEEP_ALIVE = hex('001100082112a442b7e7a701bc34d686fa87dfae80280004eeb49508');

export const ALL: Readonly<Record<string, Uint8Array>> = {
  'RFC 5769 2.1': REQUEST,
  'RFC 5769 2.2': RESPONSE_IPV4,
  'RFC 5769 2.3': RESPONSE_IPV6,
  'RFC 5769 2.4': LONG_TERM,
  'RFC 8489 B.1': LONG_TERM_SHA256,
  'keep-alive': KEEP_ALIVE,
};

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** A copy in the middle of a poisoned buffer, so that a read or write outside is seen. */
export function poisoned(octets: Uint8Array): { b: Uint8Array; at: number; end: number } {
  const at = 13;
  const b = new Uint8Array(octets.length + 2 * at).fill(0xa5);
  b.set(octets, at);
  return { b, at, end: at + octets.length };
}
