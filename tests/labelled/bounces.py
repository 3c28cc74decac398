"""Bounces as some sixty servers write them, and what the large providers' refusals mean."""

# ruff: noqa: E501  one case, one line: a table reads better wide

import json
from collections.abc import Callable, Iterator

from tests.labelled import BODY, HARMLESS, RCPT, RETURNED, Sample, message, multipart
from tests.mails import ME, OUR_ID

DEAD = ("hard", "closed")
HARD, CLOSED, SOFT, POLICY, CONTENT = ("hard",), ("closed",), ("soft",), ("policy",), ("content",)

# What the servers of large providers answer: (provider, status, reply, what it may be called).
REFUSALS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "gmail",
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. For more information, go to 550 5.1.1 https://support.example/mail/?p=NoSuchUser 41be03b00d2f7-gsmtp",
        HARD,
    ),
    (
        "gmail",
        "5.2.1",
        "550-5.2.1 The email account that you tried to reach is inactive. 550 5.2.1 https://support.example/mail/?p=DisabledUser gsmtp",
        CLOSED,
    ),
    (
        "gmail",
        "5.2.2",
        "552-5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.example gsmtp",
        SOFT,
    ),
    (
        "gmail",
        "4.2.1",
        "450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. Please resend your message at a later time. gsmtp",
        SOFT,
    ),
    (
        "gmail",
        "5.7.1",
        "550-5.7.1 [192.0.2.7 19] Our system has detected that this message is likely suspicious due to the very low reputation of the sending domain. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "5.7.26",
        "550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "5.7.1",
        "550-5.7.1 [192.0.2.7] The IP you're using to send mail is not authorized to send email directly to our servers. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "5.7.25",
        "550-5.7.25 [192.0.2.7] The IP address sending this message does not have a PTR record setup, or the corresponding forward DNS entry does not match the sending IP. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "4.7.28",
        "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP Netblock. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "5.7.0",
        "552-5.7.0 This message was blocked because its content presents a potential security issue. gsmtp",
        POLICY,
    ),
    (
        "gmail",
        "5.7.1",
        "550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent. gcdp",
        HARMLESS,
    ),
    (
        "outlook",
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        HARD,
    ),
    (
        "outlook",
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied. [AM6EUR05FT012.eop-eur05.prod.protection.example]",
        HARD,
    ),
    (
        "outlook",
        "5.5.0",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [BN8NAM11FT064]",
        ("hard", "unknown"),
    ),
    (
        "outlook",
        "5.7.1",
        "550 5.7.1 Unfortunately, messages from [192.0.2.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
        POLICY,
    ),
    (
        "outlook",
        "5.7.606",
        "550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit https://sender.example",
        POLICY,
    ),
    (
        "outlook",
        "5.7.515",
        "550 5.7.515 Access denied, sending domain ada.example does not meet the required authentication level.",
        POLICY,
    ),
    (
        "outlook",
        "5.7.509",
        "550 5.7.509 Access denied, sending domain ada.example does not pass DMARC verification and has a DMARC policy of reject.",
        POLICY,
    ),
    (
        "outlook",
        "5.7.708",
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
        POLICY,
    ),
    (
        "outlook",
        "4.7.650",
        "451 4.7.650 The mail server [192.0.2.7] has been temporarily rate limited due to IP reputation.",
        ("policy", "soft"),
    ),
    (
        "outlook",
        "4.7.500",
        "451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (S77719)",
        ("policy", "soft"),
    ),
    (
        "outlook",
        "5.2.2",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
        SOFT,
    ),
    (
        "outlook",
        "5.2.122",
        "554 5.2.122 STOREDRV.Deliver; recipient thread limit exceeded: the recipient's mailbox is receiving too many messages",
        SOFT,
    ),
    ("outlook", "5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", SOFT),
    ("outlook", "4.4.7", "550 4.4.7 QUEUE.Expired; message expired", SOFT),
    ("outlook", "5.4.310", "550 5.4.310 DNS domain bo.example does not exist", HARD),
    ("outlook", "5.4.316", "550 5.4.316 Message expired, connection refused(Socket error code 10061)", SOFT),
    (
        "outlook",
        "5.7.133",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated",
        HARMLESS,
    ),
    ("outlook", "5.1.8", "550 5.1.8 Access denied, bad outbound sender AS(42004)", POLICY),
    ("outlook", "5.7.64", "550 5.7.64 TenantAttribution; Relay Access Denied", POLICY),
    (
        "yahoo",
        "5.0.0",
        "554 delivery error: dd This user doesn't have a yahoo.example account (bo@bo.example) [0] - mta4001.mail.example",
        DEAD,
    ),
    (
        "yahoo",
        "5.0.0",
        "554 delivery error: dd Sorry, your message to bo@bo.example cannot be delivered. This mailbox is disabled (554.30).",
        DEAD,
    ),
    ("yahoo", "5.7.9", "554 5.7.9 Message not accepted for policy reasons. See https://senders.example", POLICY),
    (
        "yahoo",
        "4.7.0",
        "421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
        ("policy", "soft"),
    ),
    (
        "yahoo",
        "5.7.1",
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.7, because the ip is in Spamhaus's list; see http://postmaster.example",
        POLICY,
    ),
    ("yahoo", "4.0.0", "451 Resources temporarily not available - Please try again later [#4.16.1]", SOFT),
    ("yahoo", "5.2.2", "552 1 Requested mail action aborted, mailbox over quota", SOFT),
    ("apple", "5.1.1", "550 5.1.1 <bo@bo.example>: user does not exist", HARD),
    ("apple", "5.2.2", "552 5.2.2 <bo@bo.example>: user is over quota", SOFT),
    ("apple", "5.7.1", "550 5.7.1 Mail from IP 192.0.2.7 was rejected due to listing in Spamhaus PBL.", POLICY),
    (
        "apple",
        "5.7.1",
        "554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.example",
        POLICY,
    ),
    (
        "gmx",
        "5.1.1",
        "550 Requested action not taken: mailbox unavailable. For explanation visit https://postmaster.example/en/case?c=r0301",
        ("hard", "unknown"),
    ),
    (
        "gmx",
        "5.0.0",
        "554 Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.example",
        POLICY,
    ),
    (
        "gmx",
        "5.0.0",
        "550 Requested action not taken: mailbox unavailable. Sender IP address 192.0.2.7 is listed on a blocklist",
        POLICY,
    ),
    ("zoho", "5.1.1", "550 5.1.1 User does not exist - <bo@bo.example>", HARD),
    ("zoho", "5.7.1", "553 Relaying disallowed as bo.example is not hosted here; policy", ("policy", "unknown")),
    ("mimecast", "5.0.0", "550 Invalid Recipient - https://community.mimecast.example/docs/DOC-1369#550 [2QjO]", HARD),
    (
        "mimecast",
        "5.0.0",
        "554 Email rejected due to security policies - https://community.mimecast.example/docs/DOC-1369#554",
        POLICY,
    ),
    (
        "mimecast",
        "4.0.0",
        "451 Internal resource temporarily unavailable - https://community.mimecast.example/docs/DOC-1369#451",
        SOFT,
    ),
    ("proofpoint", "5.7.0", "554 5.7.0 Blocked - see https://ipcheck.proofpoint.example/?ip=192.0.2.7", POLICY),
    ("proofpoint", "5.1.1", "550 5.1.1 <bo@bo.example>... User unknown", HARD),
    (
        "barracuda",
        "5.0.0",
        "554 Service unavailable; Client host [192.0.2.7] blocked using Barracuda Reputation; http://www.barracudanetworks.example/reputation",
        POLICY,
    ),
    ("barracuda", "5.0.0", "550 permanent failure for one or more recipients (bo@bo.example:blocked)", POLICY),
    ("icewarp", "5.7.1", "550 5.7.1 Access denied <bo@bo.example>... user unknown", HARD),
    (
        "postfix",
        "4.2.0",
        "450 4.2.0 <bo@bo.example>: Recipient address rejected: Greylisted, see http://postgrey.example",
        SOFT,
    ),
    (
        "postfix",
        "5.1.1",
        "550 5.1.1 <bo@bo.example>: Recipient address rejected: User unknown in virtual mailbox table",
        HARD,
    ),
    (
        "postfix",
        "4.1.1",
        "450 4.1.1 <bo@bo.example>: Recipient address rejected: User unknown in local recipient table",
        SOFT,
    ),
    ("postfix", "5.1.8", "553 5.1.8 <ada@ada.example>: Sender address rejected: Domain not found", POLICY),
    ("postfix", "5.7.1", "554 5.7.1 <bo@bo.example>: Relay access denied", POLICY),
    (
        "postfix",
        "5.7.1",
        "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.example",
        POLICY,
    ),
    ("postfix", "4.4.1", "connect to mx.bo.example[203.0.113.5]:25: Connection timed out", SOFT),
    (
        "postfix",
        "5.4.4",
        "Host or domain name not found. Name service error for name=bo.example type=AAAA: Host not found",
        HARD,
    ),
    ("postfix", "5.4.6", "mail for bo.example loops back to myself", SOFT),
    ("postfix", "5.3.4", "552 5.3.4 Message size exceeds fixed limit", CONTENT),
    (
        "exim",
        "5.0.0",
        "550-Verification failed for <ada@ada.example> 550-Called: 192.0.2.7 550-Response: 550 no such user 550 Sender verify failed",
        POLICY,
    ),
    ("exim", "5.0.0", "550 unrouteable address", HARD),
    ("exim", "5.0.0", "all relevant MX records point to non-existent hosts; domain not found", HARD),
    ("exim", "5.0.0", "mailbox is full: retry timeout exceeded", SOFT),
    ("qq", "5.0.0", "550 Mailbox not found. https://service.mail.example", HARD),
    ("qq", "5.0.0", "550 Ip frequency limited; too many connections from your ip, please try again later", HARMLESS),
    ("netease", "5.0.0", "550 User suspended", CLOSED),
    ("netease", "5.0.0", "554 DT:SPM 163 mx27, this mail is considered as spam", POLICY),
    (
        "mailru",
        "5.0.0",
        "550 Message was not accepted -- invalid mailbox. Local mailbox bo@bo.example is unavailable: user not found",
        HARD,
    ),
    ("mailru", "5.0.0", "550 spam message rejected. Please visit http://help.mail.example/notspam-support", POLICY),
    (
        "att",
        "5.7.1",
        "550 5.7.1 Connections not accepted from servers without a valid sender domain.flph840 Fix reverse DNS for 192.0.2.7",
        POLICY,
    ),
    ("comcast", "5.1.1", "550 5.1.1 Not our Customer", HARD),
    ("comcast", "5.1.0", "550 5.1.0 Authentication required: <ada@ada.example> sender rejected", POLICY),
    ("free", "5.2.1", "550 5.2.1 This mailbox has been blocked due to inactivity", HARMLESS + DEAD),
    (
        "orange",
        "5.1.1",
        "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_418 [418]",
        HARD,
    ),
    ("laposte", "5.1.1", "550 5.1.1 <bo@bo.example>: Recipient address rejected: utilisateur inconnu !", HARD),
    (
        "telekom",
        "5.0.0",
        "550-5.7.1 A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.example to clarify.) (BL)",
        ("policy",),
    ),
    (
        "securence",
        "5.0.0",
        "554 5.7.1 Message scored too high on spam scale. For help, please quote incident ID 1",
        POLICY,
    ),
    (
        "ironport",
        "5.1.0",
        "5.1.0 - Unknown address error 550-'5.1.1 <bo@bo.example>: Recipient address rejected: User unknown'",
        HARD,
    ),
    ("ironport", "5.4.7", "5.4.7 - Delivery expired (message too old) 'timeout'", SOFT),
    ("symantec", "5.0.0", "553-Message filtered. Refer to the Troubleshooting page: content policy", POLICY),
    ("fortimail", "5.0.0", "550 5.7.1 Fortiguard: This message was identified as spam", POLICY),
    ("sophos", "5.0.0", "550 Recipient address rejected: undeliverable address: host said: 550 5.1.1 unknown", HARD),
    ("zimbra", "5.0.0", "550 5.1.1 <bo@bo.example>: Recipient address rejected: bo.example", HARD),
    ("groupwise", "5.0.0", "550 No such recipient", HARD),
    ("courier", "5.0.0", "550 User unknown.", HARD),
    ("dovecot", "5.2.2", "552 5.2.2 <bo@bo.example> Quota exceeded (mailbox for user is full)", SOFT),
    (
        "nullmx",
        "5.1.10",
        "556 5.1.10 <bo@bo.example>: Recipient address rejected: Domain bo.example does not accept mail (nullMX)",
        HARD,
    ),
    ("ovh", "5.0.0", "550 5.7.1 Spam detected; relaying denied until authenticated", POLICY),
    ("godaddy", "5.0.0", "550 5.1.1 recipient rejected: account has been suspended", DEAD),
    ("linkedin", "5.0.0", "550 5.2.0 Mailbox access denied by the recipient's preferences", HARMLESS),
)


def dsn(
    status: str,
    diagnostic: str,
    *,
    action: str = "failed",
    part: str = "message/delivery-status",
    kind: str = "report; report-type=delivery-status",
    text: str = "I'm sorry to have to inform you that your message could not be delivered.",
    original: str = "",
    rcpt: str = RCPT,
    returned: str = RETURNED,
) -> tuple[str, str]:
    """A delivery report as Postfix writes it, with the parts that others vary."""
    lines = [
        f"Original-Recipient: rfc822;{original}" if original else "",
        f"Final-Recipient: rfc822; {rcpt}",
        f"Action: {action}",
        f"Status: {status}" if status else "",
        f"Diagnostic-Code: smtp; {diagnostic}" if diagnostic else "",
    ]
    block = "\n".join(line for line in lines if line)
    return multipart(
        ("text/plain", f"{text}\n\n<{original or rcpt}>: {diagnostic}"),
        (part, f"Reporting-MTA: dns; mx.ada.example\n\n{block}\n"),
        ("message/rfc822", f"{returned}\n{BODY}"),
        kind=kind,
    )


def refusals() -> Iterator[Sample]:
    for number, (provider, status, reply, reasons) in enumerate(REFUSALS):
        kind, body = dsn(status, reply, text="This is the mail system at host mx.ada.example.")
        raw = message(
            body,
            From_="MAILER-DAEMON@mx.ada.example (Mail Delivery System)",
            Subject="Undelivered Mail Returned to Sender",
            MIME_Version="1.0",
            Content_Type=kind,
            Auto_Submitted="auto-replied",
            Return_Path="<>",
            Message_ID=f"<20260302.{number}@mx.ada.example>",
        )
        yield Sample(
            f"refusal-{number:03d}-{provider}-{status}",
            raw,
            "bounce",
            reasons,
            RCPT,
        )


GIVEN_BACK = f"{RETURNED}\n{BODY}"
UNKNOWN_USER = "550 5.1.1 <bo@bo.example>: Recipient address rejected: User unknown"
FULL = "552 5.2.2 <bo@bo.example>: mailbox full, quota exceeded"
BLOCKED = "554 5.7.1 Your IP is on our blocklist, message rejected as spam"
BUSY = "451 4.3.0 Temporary failure, please try again later"
REASONS = {
    "gone": (UNKNOWN_USER, HARD),
    "full": (FULL, SOFT),
    "blocked": (BLOCKED, POLICY),
    "busy": (BUSY, ("soft", "delayed")),
}

# Servers without a report part, or with an odd one: name → headers, and the text around what the other server said.
TEXTS: dict[str, tuple[dict[str, str], str]] = {
    "qmail": (
        {"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice", "Return_Path": "<>"},
        "Hi. This is the qmail-send program at mx.ada.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<bo@bo.example>:\n203.0.113.5 does not like recipient.\nRemote host said: {said}\nGiving up on 203.0.113.5.\n\n--- Below this line is a copy of the message.\n\n{mail}",
    ),
    "exim": (
        {
            "From_": "Mail Delivery System <Mailer-Daemon@mx.ada.example>",
            "Subject": "Mail delivery failed: returning message to sender",
            "X_Failed_Recipients": RCPT,
            "Auto_Submitted": "auto-replied",
        },
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  bo@bo.example\n    host mx.bo.example [203.0.113.5]\n    SMTP error from remote mail server after RCPT TO:<bo@bo.example>:\n    {said}\n\n------ This is a copy of the message, including all the headers. ------\n\n{mail}",
    ),
    "exim-without-header": (
        {
            "From_": "Mail Delivery System <Mailer-Daemon@mx.ada.example>",
            "Subject": "Mail delivery failed: returning message to sender",
        },
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. The following address(es) failed:\n\n  bo@bo.example\n    {said}\n\n------ This is a copy of the message's headers. ------\n\n{head}",
    ),
    "sendmail-old": (
        {
            "From_": "Mail Delivery Subsystem <MAILER-DAEMON@mx.ada.example>",
            "Subject": "Returned mail: see transcript for details",
        },
        "The original message was received at Mon, 2 Mar 2026 09:30:00 GMT\nfrom ada.example [192.0.2.7]\n\n   ----- The following addresses had permanent fatal errors -----\n<bo@bo.example>\n\n   ----- Transcript of session follows -----\n... while talking to mx.bo.example.:\n>>> RCPT To:<bo@bo.example>\n<<< {said}\n\n   ----- Original message follows -----\n\n{mail}",
    ),
    "exchange-2003": (
        {
            "From_": "System Administrator <postmaster@bo.example>",
            "Subject": "Undeliverable: Engineering work",
            "X_MS_Embedded_Report": "",
            "Thread_Topic": "Engineering work",
        },
        "Your message\n\n  To:      bo@bo.example\n  Subject: Engineering work\n  Sent:    Mon, 2 Mar 2026 09:30:00 -0000\n\ndid not reach the following recipient(s):\n\nbo@bo.example on Mon, 2 Mar 2026 09:30:10 -0000\n    The message could not be delivered. {said}\n    <mx.bo.example #5.1.1>\n",
    ),
    "gmail-old": (
        {
            "From_": "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Subject": "Delivery Status Notification (Failure)",
            "X_Failed_Recipients": RCPT,
        },
        "Delivery to the following recipient failed permanently:\n\n     bo@bo.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the recipient domain. The error that the other server returned was: {said}\n\n----- Original message -----\n\n{head}",
    ),
    "yahoo": (
        {"From_": "MAILER-DAEMON@yahoo.example", "Subject": "Failure Notice"},
        "Sorry, we were unable to deliver your message to the following address.\n\n<bo@bo.example>:\n{said}\n\n--- Below this line is a copy of the message.\n\n{mail}",
    ),
    "notes": (
        {"From_": "notes@notes.bo.example", "Subject": "Undeliverable message"},
        "------- Failure Reasons  --------\n\n{said}\nbo@bo.example\n\n\n------- Returned Message --------\n\n{mail}",
    ),
    "kddi": (
        {
            "From_": "no-reply@dion.example",
            "Subject": "Mail System Error - Returned Mail",
            "Reply_To": "no-reply@app.example",
        },
        "Your mail sent on: Mon, 2 Mar 2026 09:30:00 +0000\n     Could not be delivered to: <bo@bo.example>\n     {said}\n\n{mail}",
    ),
    "imail": (
        {
            "From_": "Postmaster<postmaster@mx.bo.example>",
            "Subject": "Undeliverable Mail",
            "X_Mailer": "<SMTP32 v8.22>",
        },
        "{said}: bo@bo.example\n\nOriginal message follows.\n\n{mail}",
    ),
    "mailmarshal": (
        {"From_": "MailMarshal <postmaster@bo.example>", "Subject": 'Undeliverable Mail: "Engineering work"'},
        "Your message:\n    From:    ada@ada.example\n    Subject: Engineering work\n\nCould not be delivered because of\n\n{said}\n\nThe following recipients were affected:\n    bo@bo.example\n\nAdditional Information\n======================\nOriginal Sender: <ada@ada.example>\n",
    ),
    "mailfoundry": (
        {"From_": "MAILER-DAEMON@bo.example", "Subject": "Message delivery has failed"},
        "Unable to deliver message to: <bo@bo.example>\nDelivery failed for the following reason:\nServer mx.bo.example failed with: {said}\n\nThis has been a permanent failure.  No further delivery attempts will be made.\n",
    ),
    "interscan": (
        {"From_": '"InterScan MSS" <postmaster@bo.example>', "Subject": "Mail could not be delivered"},
        "****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT TO:<bo@bo.example>\nReceived >>> {said}\n\nUnable to deliver message to <bo@bo.example>.\n\n************************     End of message     **********************\n",
    ),
    "courier": (
        {"From_": '"Courier mail server at mx.ada.example" <@>', "Subject": "NOTICE: mail delivery status."},
        "This is a delivery status notification from mx.ada.example,\nrunning the Courier mail server, version 0.65.2.\n\nThe original message was received on Mon, 02 Mar 2026 09:30:00 +0000\n\n          UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<bo@bo.example>:\n    mx.bo.example [203.0.113.5]:\n>>> RCPT TO:<bo@bo.example>\n<<< {said}\n",
    ),
    "james": (
        {"From_": "postmaster@james.ada.example", "Subject": "[BOUNCE]"},
        "Hi. This is the James mail server at james.ada.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.  Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\nFailed recipient(s):\nbo@bo.example\n\nError message:\n{said}\n",
    ),
    "opensmtpd": (
        {"From_": "Mailer Daemon <MAILER-DAEMON@mx.ada.example>", "Subject": "Delivery status notification: error"},
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nbo@bo.example: {said}\n\n    Below is a copy of the original message:\n\n{mail}",
    ),
    "dragonfly": (
        {"From_": "MAILER-DAEMON <>", "Subject": "Mail delivery failed"},
        "This is the DragonFly Mail Agent v0.13 at ada.example.\n\nThere was an error delivering your mail to <bo@bo.example>.\n\nmx.bo.example [203.0.113.5] did not like our RCPT TO:\n{said}\n\nMessage headers follow.\n\n{head}",
    ),
    "verizon": (
        {
            "From_": "post_master@vtext.example",
            "Subject": "Re: Engineering work",
            "In_Reply_To": OUR_ID,
            "References": OUR_ID,
        },
        "Error:  {said}\nMessage details:\n  Subject: Engineering work\n  Sent date: Mon Mar 2 09:30:00 GMT 2026\n  MAIL FROM: ada@ada.example\n  RCPT TO: bo@bo.example\n  From: Ada Testwell <ada@ada.example>\n  To: bo@bo.example\n",
    ),
    "mdaemon": (
        {"From_": "MDaemon <MDaemon@bo.example>", "Subject": "Permanent Delivery Failure"},
        "The following addresses did NOT receive a copy of your message:\n\n> bo@bo.example\n\n--- Session Transcript ---\n Mon 2026-03-02: --> RCPT To:<bo@bo.example>\n Mon 2026-03-02: <-- {said}\n--- End Transcript ---\n: Message contains [1] file attachments\n",
    ),
    "groupwise": (
        {"From_": "Mail Administrator <Postmaster@bo.example>", "Subject": "Mail System Error - Returned Mail"},
        "This Message was undeliverable due to the following reason:\n\n{said}\n\nPlease check the address\n\n     Recipient: <bo@bo.example>\n     Reason:    {said}\n\nPlease reply to Postmaster@bo.example\nif you feel this message to be in error.\n",
    ),
    "surfcontrol": (
        {
            "From_": "postmaster@bo.example",
            "Subject": "Message could not be delivered",
            "X_Mailer": "SurfControl E-mail Filter",
        },
        "Your message could not be sent.\nA transcript of the attempts to send the message follows.\nThe number of attempts made: 1\nAddressed To: bo@bo.example\n\nMon 2 Mar 2026 09:30:00 +0000\nFailed to send to identified host,\nbo@bo.example: [203.0.113.5], {said}\n--- Message non-deliverable.\n",
    ),
    "error-sending": (
        {"From_": "mail-system@host.example", "Subject": "There was an error sending your mail"},
        "We had trouble delivering your message. Full details follow:\n\nSubject: 'Engineering work'\nDate: 'Mon, 2 Mar 2026 09:30:00 +0000'\n\n1 error(s):\n\nSMTP Server <mx.bo.example> rejected recipient <bo@bo.example> \n  (Error following RCPT command). It responded as follows: [{said}]\n\n",
    ),
    "zoho": (
        {
            "From_": "mailer-daemon@mail.zoho.example",
            "Subject": "Undelivered Mail Returned to Sender",
            "X_Mailer": "Zoho Mail",
        },
        "This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error. \n\nbo@bo.example {said}, ERROR_CODE :550, ERROR_CODE :Invalid\n\nReceived:from mail.zoho.example by mx.zoho.example\n{head}",
    ),
    "aol": (
        {
            "From_": "Mail Delivery Subsystem <MAILER-DAEMON@aol.example>",
            "Subject": "Undelivered Mail Returned to Sender",
        },
        "Your mail is not being delivered.\n\n   ----- The following addresses had delivery problems -----\n<bo@bo.example>   (unrecoverable error)\n\n   ----- Transcript of session follows -----\n<<< {said}\n",
    ),
    "google-groups": (
        {
            "From_": "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Subject": "Delivery Status Notification (Failure)",
            "X_Failed_Recipients": RCPT,
        },
        "Hello ada@ada.example,\n\nWe're writing to let you know that the group you tried to contact (bo) may not exist: {said}. \n\n----- Original message -----\n\n{head}",
    ),
    "1und1": (
        {
            "From_": "Mail Delivery System <mailer-daemon@kundenserver.example>",
            "Subject": "Mail delivery failed: returning message to sender",
        },
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. The following addresses failed:\n\n<bo@bo.example>\n\nSMTP error from remote server after RCPT command:\nhost mx.bo.example[203.0.113.5]:\n{said}\n\n--- The header of the original message is following. ---\n\n{head}",
    ),
    "gmx": (
        {
            "From_": "GMX Mailer Daemon <mailer-daemon@gmx.example>",
            "Subject": "Mail delivery failed: returning message to sender",
        },
        'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to\none or more of its recipients. This is a permanent error. The following\naddress failed:\n\n"bo@bo.example":\nSMTP error from remote server after RCPT command:\nhost: mx.bo.example\n{said}\n\n--- The header of the original message is following. ---\n\n{head}',
    ),
    "smail": (
        {"From_": "<MAILER-DAEMON@mx.ada.example>", "Subject": "mail failed, returning to sender"},
        "|------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n|------------------------- Failed addresses follow: ---------------------|\n bo@bo.example ... transport smtp: {said}\n|------------------------- Message text follows: ------------------------|\n{mail}",
    ),
    "mfilter": (
        {"From_": "Mailer Daemon <postmaster@bo.example>", "Subject": "failure notice", "X_Mailer": "m-FILTER"},
        "-------server message\n{said}\n\n-------SMTP command\nRCPT TO:<bo@bo.example>\n\n-------original message\n{mail}",
    ),
    "barracuda": (
        {
            "From_": "MAILER-DAEMON@barracuda.bo.example",
            "Subject": "**Message you sent blocked by our bulk email filter**",
        },
        "Your message to: bo@bo.example\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: Engineering work\n\nReason: {said}\n",
    ),
    "nobody": (
        {"From_": "", "Subject": "Undeliverable: Engineering work"},
        "bo@bo.example could not be reached: {said}\n",
    ),
    "null-path": (
        {"From_": "mailservice@host.example", "Subject": "Re: Engineering work", "Return_Path": "<>"},
        "Delivery to the following recipient has failed:\n\n   bo@bo.example\n\nReason: {said}\n\n{mail}",
    ),
    "german": (
        {
            "From_": "Mailer-Daemon <mailer-daemon@post.example>",
            "Subject": "Nachricht nicht zustellbar: Engineering work",
        },
        "Ihre Nachricht konnte nicht zugestellt werden:\n\nbo@bo.example\n{said}\n\n----- Ursprüngliche Nachricht -----\n{head}",
    ),
    "french": (
        {"From_": "Postmaster <postmaster@poste.example>", "Subject": "Échec de la remise de votre message"},
        "Votre message n'a pas pu être remis à bo@bo.example.\n{said}\n",
    ),
    "spanish": (
        {"From_": "postmaster@correo.example", "Subject": "No se puede entregar: Engineering work"},
        "Su mensaje no se pudo entregar a bo@bo.example.\n{said}\n",
    ),
    "italian": (
        {"From_": "postmaster@posta.example", "Subject": "Non recapitabile: Engineering work"},
        "Il messaggio non è stato recapitato a bo@bo.example.\n{said}\n",
    ),
    "russian": (
        {"From_": "Mailer-Daemon <mailer-daemon@pochta.example>", "Subject": "Недоставленное сообщение"},
        "Ваше сообщение не доставлено: bo@bo.example\n{said}\n",
    ),
    "japanese": (
        {"From_": "MAILER-DAEMON@mail.example", "Subject": "メールを配信できません"},
        "次の宛先に配信できませんでした。\nbo@bo.example\n{said}\n",
    ),
    "html-only": (
        {
            "From_": "Mail Delivery System <postmaster@bo.example>",
            "Subject": "Undeliverable: Engineering work",
            "Content_Type": "text/html; charset=utf-8",
        },
        '<html><body><style>p {{ color: red }}</style><p>Delivery has failed to these recipients or groups:</p><p><a href="mailto:bo@bo.example">bo@bo.example</a></p><p>{said}</p></body></html>',
    ),
}


def in_words() -> Iterator[Sample]:
    for name, (headers, text) in TEXTS.items():
        for reason, (said, reasons) in REASONS.items():
            fields = {"Message_ID": f"<{name}.{reason}@mx.example>", **headers}
            raw = message(
                text.format(said=said.replace("<", "&lt;") if "html" in name else said, mail=GIVEN_BACK, head=RETURNED),
                **fields,
            )
            allowed = reasons if name != "barracuda" else ("policy", *reasons)
            yield Sample(f"words-{name}-{reason}", raw, "bounce", allowed, RCPT)


NDR_SUBJECTS = ("Undeliverable: Engineering work", "Unzustellbar: Engineering work", "Non remis : Engineering work", "No se puede entregar: Engineering work", "Non recapitabile: Engineering work",
                "Não é possível entregar: Engineering work", "Onbestelbaar: Engineering work", "Niedostarczone: Engineering work", "配信不能: Engineering work", "无法送达: Engineering work")  # fmt: skip


def ndrs() -> Iterator[Sample]:
    """Exchange and Microsoft 365, in the languages of their owners."""
    html = "<html><body><h1>Your message to bo@bo.example couldn't be delivered.</h1><p>bo wasn't found at bo.example.</p></body></html>"
    for number, subject in enumerate(NDR_SUBJECTS):
        block = (f"Reporting-MTA: dns;mx.bo.example\n\nFinal-Recipient: rfc822;{RCPT}\nAction: failed\nStatus: 5.1.10\n"
                 "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n")  # fmt: skip
        kind, body = multipart(
            ("text/html; charset=utf-8", html),
            ("message/delivery-status", block),
            ("message/rfc822", f"{RETURNED}\n{BODY}"),
        )
        raw = message(body, From_="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@bo.example>", Subject=subject, Content_Type=kind, MIME_Version="1.0",
                      In_Reply_To=OUR_ID, References=OUR_ID, Thread_Topic="Engineering work", X_MS_Exchange_Message_Is_Ndr="", Auto_Submitted="auto-replied", Message_ID=f"<ndr{number}@bo.example>")  # fmt: skip
        yield Sample(f"ndr-{number}", raw, "bounce", HARD, RCPT)


def odd_parts() -> Iterator[Sample]:
    """Reports that break the standard in the ways that are known."""
    base = {
        "From_": "MAILER-DAEMON@mx.ada.example",
        "Subject": "Undelivered Mail Returned to Sender",
        "MIME_Version": "1.0",
    }

    def sample(
        name: str, made: tuple[str, str], reasons: tuple[str, ...] = HARD, failed: str = RCPT, **more: str
    ) -> Sample:
        return Sample(
            f"part-{name}",
            message(made[1], **{**base, "Content_Type": made[0], "Message_ID": f"<{name}@mx.example>", **more}),
            "bounce",
            reasons,
            failed,
        )

    yield sample("workmail", dsn("5.1.1", UNKNOWN_USER, kind="mixed"))
    encoded = dsn("5.1.1", UNKNOWN_USER, part="message/delivery-status\nContent-Transfer-Encoding: quoted-printable")
    yield sample(
        "quoted-printable", (encoded[0], encoded[1].replace("Final-Recipient: rfc822;", "Final-Recipient: rfc822=3B"))
    )
    yield sample("opensmtpd-error", dsn("5.1.1", UNKNOWN_USER, action="error"))
    yield sample(
        "gmail-new",
        dsn("5.1.1", REFUSALS[0][2]),
        From_="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        Subject="Delivery Status Notification (Failure)",
        X_Failed_Recipients=RCPT,
        In_Reply_To=OUR_ID,
        References=OUR_ID,
    )
    empty = multipart(
        ("text/plain", f"Your message to {RCPT} could not be delivered: 550 5.1.1 no such user"),
        ("message/delivery-status", ""),
        ("text/rfc822-headers", RETURNED),
    )
    yield sample("empty-status", empty)
    yield sample("global", dsn("5.1.1", UNKNOWN_USER, part="message/global-delivery-status"))
    yield sample(
        "headers-only",
        multipart(
            ("text/plain", "Sorry."),
            (
                "message/delivery-status",
                f"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; {RCPT}\nAction: failed\nStatus: 5.1.1\n",
            ),
            ("text/rfc822-headers", RETURNED),
        ),
    )
    yield sample("forwarded", dsn("5.1.1", "550 5.1.1 user unknown", rcpt="bo@elsewhere.example", original=RCPT))
    yield sample("brackets", dsn("5.1.1", UNKNOWN_USER, rcpt=f"<{RCPT}> (Bo)"))
    yield sample("capitals", dsn("5.1.1", UNKNOWN_USER, rcpt="BO@BO.EXAMPLE"))
    yield sample("srs", dsn("5.1.1", "550 5.1.1 user unknown", rcpt="SRS0=abcd=TT=bo.example=bo@relay.example"))
    yield sample(
        "domino",
        dsn("5.1.1", "Message could not be delivered. User bo (bo@bo.example) not listed in Domino Directory"),
        Subject="DELIVERY FAILURE: User bo not listed in Domino Directory",
        From_="Postmaster@bo.example",
    )
    yield sample(
        "sendmail",
        dsn(
            "5.1.1",
            "550 5.1.1 <bo@bo.example>... User unknown",
            text="   ----- The following addresses had permanent fatal errors -----",
        ),
        Subject="Returned mail: see transcript for details",
        Auto_Submitted="auto-generated (failure)",
    )
    yield sample(
        "ses",
        dsn("5.1.1", "550 5.1.1 user unknown"),
        From_="MAILER-DAEMON@eu-west-1.amazonses.example",
        Subject="Delivery Status Notification (Failure)",
    )
    yield sample(
        "no-action",
        multipart(
            ("text/plain", "x"),
            ("message/delivery-status", f"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; {RCPT}\nStatus: 5.1.1\n"),
        ),
    )
    yield sample(
        "loose-fields",
        (
            "text/plain",
            f"Sorry.\n\nFinal-Recipient: rfc822; {RCPT}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; {UNKNOWN_USER}\n\n{GIVEN_BACK}",
        ),
    )
    yield sample(
        "reply-like",
        dsn("5.1.1", UNKNOWN_USER),
        From_="Bo's server <noreply@bo.example>",
        Subject="Re: Engineering work",
        In_Reply_To=OUR_ID,
    )
    yield sample("utf7-subject", dsn("5.1.1", UNKNOWN_USER), Subject="=?unicode-1-1-utf-7?Q?Unzustellbar:_x?=")
    yield sample(
        "delayed",
        dsn("4.4.1", "connect to mx.bo.example: Connection timed out", action="delayed"),
        ("delayed",),
        Subject="Delayed Mail (still being retried)",
    )
    yield sample(
        "amavis",
        dsn("5.7.1", "554 5.7.1 Rejected, id=1-01 - spam", text="Our content checker found spam"),
        POLICY,
        From_="Content-filter at mx.bo.example <postmaster@bo.example>",
        Subject="Considered UNSOLICITED BULK EMAIL, apparently from you",
    )
    quota = multipart(("text/plain", f"Your message to <{RCPT}> was automatically rejected:\nQuota exceeded (mailbox for user is full)"),
                      ("message/disposition-notification", f"Reporting-UA: mx.bo.example; Dovecot Mail Delivery Agent\nFinal-Recipient: rfc822; {RCPT}\nOriginal-Message-ID: {OUR_ID}\nDisposition: automatic-action/MDN-sent-automatically; deleted/rejected"),
                      ("message/rfc822", f"{RETURNED}\n"), kind="report; report-type=disposition-notification")  # fmt: skip
    yield sample(
        "dovecot-quota",
        quota,
        SOFT,
        Subject="Rejected: Engineering work",
        From_="Mail Delivery Subsystem <postmaster@bo.example>",
    )
    for end, name in (("\r\n", "crlf"), ("\r", "cr-only")):
        raw = message(TEXTS["qmail"][1].format(said=UNKNOWN_USER, mail=GIVEN_BACK), end=end, **TEXTS["qmail"][0])
        yield Sample(f"part-{name}", raw.replace(b"\n", end.encode()) if end == "\r" else raw, "bounce", HARD, RCPT)


def warnings() -> Iterator[Sample]:
    """Not yet a failure: nothing may follow."""
    texts = {
        "exim": ({"From_": "Mail Delivery System <Mailer-Daemon@mx.ada.example>", "Subject": "Warning: message 1abcde-0001-AB delayed 24 hours"},
                 "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.ada.example.\n\nThe address to which the message has not yet been delivered is:\n\n  bo@bo.example\n    Delay reason: connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated."),
        "sendmail": ({"From_": "Mail Delivery Subsystem <MAILER-DAEMON@mx.ada.example>", "Subject": "Warning: could not send message for past 4 hours"},
                     "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- The following addresses had transient non-fatal errors -----\n<bo@bo.example>\n\n   ----- Transcript of session follows -----\n451 4.4.1 timeout\nWill keep trying until message is 5 days old"),
        "gmail": ({"From_": "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Subject": "Delivery Status Notification (Delay)", "X_Failed_Recipients": RCPT},
                  "This is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed:\n\n     bo@bo.example\n\nMessage will be retried for 2 more day(s)"),
        "exchange": ({"From_": "postmaster@bo.example", "Subject": "Delivery delayed: Engineering work"},
                     "Delivery is delayed to these recipients or groups:\n\nbo@bo.example\n\nThis message hasn't been delivered yet. Delivery will continue to be attempted.\n"),
    }  # fmt: skip
    for name, (headers, text) in texts.items():
        yield Sample(
            f"warning-{name}",
            message(text, Message_ID=f"<w.{name}@mx.example>", **headers),
            "bounce",
            ("delayed", "soft"),
            RCPT,
        )


def amazon(kind: str, subtype: str, people: list[dict[str, str]], *, wrapped: bool) -> str:
    """An SES notice, bare or as SNS mails it."""
    mail = {"messageId": "0102018f-aaaa", "source": ME, "destination": [RCPT], "headers": [{"name": "Message-ID", "value": OUR_ID}, {"name": "To", "value": RCPT}],
            "commonHeaders": {"from": [ME], "to": [RCPT], "subject": "Engineering work"}}  # fmt: skip
    detail = {"bounce": {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": people}, "complaint": {"complainedRecipients": people, "complaintFeedbackType": subtype},
              "delivery": {"recipients": [RCPT], "smtpResponse": "250 ok"}, "deliveryDelay": {"delayType": subtype, "delayedRecipients": people}}  # fmt: skip
    name = {"Complaint": "complaint", "Delivery": "delivery", "Delay": "deliveryDelay"}.get(kind, "bounce")
    title = {"deliveryDelay": "DeliveryDelay"}.get(name, name.title())
    report = json.dumps({"notificationType": title, "mail": mail, name: detail[name]})
    inner = json.dumps({"Type": "Notification", "MessageId": "x", "Message": report}, indent=1) if wrapped else report
    return f"{inner}\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe.\n"


def notices() -> Iterator[Sample]:
    sender = {"From_": "AWS Notifications <no-reply@sns.amazonaws.example>", "Subject": "AWS Notification Message"}
    gone = {
        "emailAddress": RCPT,
        "status": "5.1.1",
        "action": "failed",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    cases = (
        ("Permanent", "General", [gone], HARD), ("Permanent", "NoEmail", [{"emailAddress": RCPT}], HARD), ("Transient", "MailboxFull", [{"emailAddress": RCPT}], SOFT),
        ("Transient", "General", [{"emailAddress": RCPT}], SOFT), ("Transient", "MessageTooLarge", [{"emailAddress": RCPT}], CONTENT), ("Undetermined", "Undetermined", [{"emailAddress": RCPT}], ("unknown",)),
        ("Delay", "SpamDetected", [{"emailAddress": RCPT}], ("delayed",)),
    )  # fmt: skip
    for number, (kind, subtype, people, reasons) in enumerate(cases):
        for wrapped in (True, False):
            text = amazon(kind, subtype, people, wrapped=wrapped)
            yield Sample(
                f"sns-{number}-{wrapped}",
                message(text, Message_ID=f"<sns{number}{wrapped}@x.example>", **sender),
                "bounce",
                reasons,
                RCPT,
            )


def all_bounces() -> list[Sample]:
    makers: tuple[Callable[[], Iterator[Sample]], ...] = (refusals, in_words, ndrs, odd_parts, warnings, notices)
    return [sample for make in makers for sample in make()]
