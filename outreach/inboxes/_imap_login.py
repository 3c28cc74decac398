"""Getting into an IMAP server safely: the other end is checked, then there is one login, tried once."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from outreach.errors import MailboxError

_CONNECT_SECONDS = 30
_READ_SECONDS = 60

# A server may announce a literal of 4 GB: Python then runs out of memory at once, and the connection is of no more use.
BROKEN = (IMAPClientAbortError, OSError, EOFError, MemoryError)


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where the mailbox is. `security` is tls, starttls or none (loopback only); `password` is called when needed."""

    host: str
    port: int
    security: str
    username: str
    password: Callable[[], str]
    ca_file: str = ""


def connect(server: ImapServer) -> IMAPClient:
    """A connection on which we are logged in; nothing stays open where that fails."""
    client = _reach(server)
    try:
        if server.security == "starttls":
            _encrypt(client, server)
        _login(client, server)
    except BaseException:
        with suppress(*BROKEN, IMAPClientError):
            client.shutdown()
        raise
    client.normalise_times = False
    return client


def _reach(server: ImapServer) -> IMAPClient:
    """A connection whose other end is who we think it is; with STARTTLS that is seen to next."""
    timeout = SocketTimeout(_CONNECT_SECONDS, _READ_SECONDS)
    with _translated(server):
        return IMAPClient(
            server.host,
            server.port,
            ssl=server.security == "tls",
            ssl_context=_context(server.ca_file) if server.security == "tls" else None,
            timeout=timeout,
        )


def _encrypt(client: IMAPClient, server: ImapServer) -> None:
    with _translated(server):
        client.starttls(_context(server.ca_file))


@contextmanager
def _translated(server: ImapServer) -> Iterator[None]:
    where = f"{server.host}:{server.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise MailboxError(
            f"the certificate of {where} is not trusted: {error.verify_message}.",
            hint="check OUTREACH_IMAP_HOST; for a server of your own, name its CA in OUTREACH_IMAP_CA_FILE",
        ) from None
    except ssl.SSLError:
        raise MailboxError(
            f"{where} does not speak TLS there.",
            hint="check OUTREACH_IMAP_PORT and OUTREACH_IMAP_SECURITY (tls or starttls)",
        ) from None
    except IMAPClientAbortError:  # dropped: whoever asked tries again
        raise
    except IMAPClientError as error:
        raise MailboxError(
            f"{where} does not offer what is needed for a secure login: {words(error)}.",
            hint="check OUTREACH_IMAP_PORT and OUTREACH_IMAP_SECURITY (tls or starttls)",
        ) from None
    except OSError as error:
        why = "it did not answer in time" if isinstance(error, TimeoutError) else error.strerror or "no connection"
        raise MailboxError(
            f"{where} cannot be reached: {why}.",
            hint="check OUTREACH_IMAP_HOST, OUTREACH_IMAP_PORT and your connection",
        ) from None


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _login(client: IMAPClient, server: ImapServer) -> None:
    """One mechanism, one try: providers lock accounts that guess."""
    password = server.password()
    try:
        if client.has_capability("AUTH=PLAIN"):
            client.plain_login(server.username, password)
        else:
            client.login(server.username, password)
    except UnicodeError:  # the exception holds the password: never shown
        raise MailboxError(
            f"{server.host} takes passwords in ASCII only.", hint="set a password without accents, or an app password"
        ) from None
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            raise IMAPClientAbortError("dropped during login") from None
        raise MailboxError(
            f"{server.host} refused the login of {server.username}: {words(error)}.",
            hint="check OUTREACH_IMAP_USERNAME and the password; many providers want an app password",
        ) from None


def words(error: Exception) -> str:
    return str(error).strip().removeprefix("b'").rstrip("'.")[:200]
