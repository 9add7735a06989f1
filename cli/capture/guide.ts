/** What to do where `cap` is missing: it is optional, and compiled when the package is installed. */

export const CAPTURE_GUIDE = `
It needs libpcap with its headers, a C++ compiler, make and Python; all else of tep works without.

  Debian, Ubuntu   apt-get install build-essential python3 libpcap-dev
  Fedora           dnf install gcc-c++ make python3 libpcap-devel
  Alpine           apk add build-base python3 libpcap-dev

Then, in the folder where tep was installed:

  npm rebuild cap       when node_modules/cap is there
  npm ci                when it is not: it was left out because it could not be built

The build takes the headers of Node from the network. Without one, say where they are:

  npm_config_nodedir=/usr npm rebuild cap
`;
