/** The settings of the SIP sidecar. */
import { phoneAddress, sipServer } from '../../config/address-kinds.ts';
import { group, list, one, optional, type Values } from '../../config/key.ts';
import { choice, duration, text } from '../../config/kinds.ts';
import type { CrossCheck } from '../../config/read.ts';

export const sipKeys = group('SIP sidecar', {
  'sip.listen': list(phoneAddress, {
    meaning: "the phone's outbound proxy, by UDP and TCP; absent: no sidecar",
    example: '127.0.0.1:5060',
    reload: 'restart',
  }),
  'sip.core': list(sipServer, {
    meaning:
      'where the P-CSCF is; several ways are tried in this order, those by TCP and TLS at last through the HTTP proxy',
    example: 'pcscf.example',
    reload: 'restart',
  }),
  'sip.server-name': optional(text('NAME'), {
    meaning:
      'name that the certificate of the P-CSCF must have, where it is not that of the address',
    reload: 'live',
  }),
  'sip.media': one(choice('auto', 'tunnel', 'native'), {
    meaning:
      'which calls take the tunnel. auto: where UDP does not pass, or the core asks for it; tunnel: all; native: none',
    default: 'auto',
    reload: 'live',
  }),
  'sip.register-within': one(duration('20s', '24h'), {
    meaning:
      'the phone is told to register again within so long: after a broken connection calls reach it again by then',
    default: '120s',
    reload: 'restart',
  }),
});

export const checkSip: CrossCheck<Values<typeof sipKeys>> = (s, tell) => {
  const listens = s['sip.listen'].length > 0;
  const hasCore = s['sip.core'].length > 0;
  if (listens && !hasCore) tell('sip.core', 'sip.listen needs to know where the P-CSCF is');
  if (hasCore && !listens) {
    tell('sip.listen', 'sip.core is used with sip.listen, the outbound proxy of the phone');
  }
};
