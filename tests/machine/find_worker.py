"""A `find` in a process of its own that a test can kill: `find_worker.py FOLDER HUNTER_PORT DNS_PORT WORD…`."""

import sys

from outreach.bootstrap import Network
from outreach.cli import run
from outreach.cli._shell import Shell
from outreach.mailhosts import DnsMailHosts
from outreach.webclient import Endpoint, GuardedWeb

HOST = "127.0.0.1"


def main(folder: str, hunter_port: str, dns_port: str, *words: str) -> int:
    here: Endpoint = (HOST, int(hunter_port))
    network = Network(
        web=lambda agent: GuardedWeb(agent, lambda _host, _port: [here], frozenset({here})),
        mail_hosts=lambda: DnsMailHosts([HOST], int(dns_port), seconds=30),
        base_urls={"hunter": "http://api.hunter.test/v2"},
        patience=100,
    )
    return run(["-C", folder, "find", *words], Shell(network=network))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
