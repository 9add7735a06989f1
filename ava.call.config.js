// Calls of real telephones through stock Kamailio and rtpengine: as root, one after the other.
import net from './ava.net.config.js';

export default { ...net, files: ['build/test/call/**/*.test.js'] };
