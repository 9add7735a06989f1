/**
 * Preparation of user names, realms and passwords: the OpaqueString profile (RFC 8265 4.2 on the
 * FreeformClass of RFC 8264 4.3), which RFC 8489 uses, and what RFC 5389 used before it, SASLprep
 * (RFC 4013), for strings that OpaqueString refuses.
 *
 * The vectors of RFC 5769 2.4 and RFC 8489 B.1 have the password `The<U+00AD>M<U+00AA>tr<U+2168>`,
 * `TheMatrIX` when prepared. That is SASLprep: OpaqueString refuses U+00AD, and keeps U+00AA and
 * U+2168.
 */

const ASCII = /^[\x20-\x7e]+$/;

/** RFC 8264 9.12, 9.10, 9.13, 9.9 and the disallowed of 9.6: never in a FreeformClass string. */
const DISALLOWED =
  /[\p{Cc}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;
const IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
/** Joiners are ignorable by property, but legal where the rules below let them be. */
const JOINERS = /[\u200c\u200d]/gu;

/** RFC 5892 A.1–A.9: what must be true of the text around a character that needs context. */
const CONTEXT: readonly [character: RegExp, rule: RegExp][] = [
  [
    /\u200c/gu,
    /(?<=[\p{Script=Arabic}\p{Script=Syriac}]\p{M}*)\u200c(?=\p{M}*[\p{Script=Arabic}\p{Script=Syriac}])|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0f84\u1039\u17d2])\u200c/gu,
  ],
  [
    /\u200d/gu,
    /(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0f84\u1039\u17d2])\u200d/gu,
  ],
  [/\u00b7/gu, /(?<=l)\u00b7(?=l)/gu],
  [/\u0375/gu, /\u0375(?=\p{Script=Greek})/gu],
  [/[\u05f3\u05f4]/gu, /(?<=\p{Script=Hebrew})[\u05f3\u05f4]/gu],
  [
    /\u30fb/gu,
    /(?<=^.*[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}].*)\u30fb|\u30fb(?=.*[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}])/gu,
  ],
  [/[\u0660-\u0669]/gu, /(?<![\u06f0-\u06f9].*)[\u0660-\u0669](?!.*[\u06f0-\u06f9])/gu],
];

/** The prepared string, or `undefined` when the profile does not allow it (the empty one neither). */
export function opaqueString(text: string): string | undefined {
  if (ASCII.test(text)) return text;
  const prepared = text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  if (prepared === '' || DISALLOWED.test(prepared)) return undefined;
  if (IGNORABLE.test(prepared.replace(JOINERS, ''))) return undefined;
  const inContext = CONTEXT.every(
    ([character, rule]) => occurrences(prepared, character) === occurrences(prepared, rule),
  );
  return inContext ? prepared : undefined;
}

/** RFC 3454 table B.1: mapped to nothing. */
const NOTHING =
  /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/**
 * SASLprep: B.1 mapped to nothing, NFKC, then the refusals of OpaqueString. These cover those of
 * RFC 4013 but for U+FFFD, the ideographic description characters and the rule against mixed
 * directions, which are let through.
 */
export function saslPrep(text: string): string | undefined {
  return opaqueString(text.replace(NOTHING, '').normalize('NFKC'));
}

/** For strings of our own configuration: OpaqueString, else SASLprep, else they cannot be used. */
export function prepare(text: string): string {
  const prepared = opaqueString(text) ?? saslPrep(text);
  if (prepared === undefined)
    throw new RangeError('characters that no user name or password may have');
  return prepared;
}

function occurrences(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
