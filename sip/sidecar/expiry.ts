/**
 * How long a phone is told that it is registered. When a flow to the registrar breaks, calls reach the
 * phone again only after it has registered by the new one, which no proxy can do for it; all that can be
 * done is not to let it wait long.
 */
import type { Edit } from '../edit.ts';
import { fieldsOf, valueText } from '../fields.ts';
import type { Response } from '../message.ts';
import { nameAddrs } from '../name-addr.ts';

const SECONDS = /^\d{1,10}$/;

/** In a 2xx to REGISTER: no contact is told longer than `mostSeconds`. */
export function shortenExpiry(edit: Edit, response: Response, mostSeconds: number): void {
  for (const { parameters } of nameAddrs(response, 'contact') ?? []) {
    const expires = parameters.get('expires');
    if (expires === undefined || !isLonger(expires.value, mostSeconds)) continue;
    edit.replace(expires, `;expires=${mostSeconds}`);
  }
  for (const field of fieldsOf(response.fields, 'expires')) {
    if (!isLonger(valueText(response.text, field), mostSeconds)) continue;
    edit.replace({ start: field.valueStart, end: field.valueEnd }, String(mostSeconds));
  }
}

function isLonger(text: string | undefined, seconds: number): boolean {
  return text !== undefined && SECONDS.test(text) && Number(text) > seconds;
}
