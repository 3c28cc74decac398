"""Bounces of rare, old and foreign servers, and one mail for each way in which they hide what they are."""

# ruff: noqa: E501  one case, one line: a table reads better wide

from collections.abc import Iterator

from tests.labelled import BODY, HARMLESS, RCPT, RETURNED, Sample, message
from tests.labelled.bounces import DEAD

MAIL = f"{RETURNED}\n{BODY}"
HARD, SOFT, POLICY = ("hard",), ("soft",), ("policy",)
ANY_DEAD = (*DEAD, "unknown")

ODD: dict[str, tuple[dict[str, str], str, tuple[str, ...]]] = {
    "cable": ({"From_": "Mail Delivery Subsystem <postmaster@cable.example>", "Subject": "Undeliverable mail"}, "The following recipients did not receive this message:\n\n     <bo@bo.example>\n\nReason: unknown user\n", HARD),
    "compuserve": ({"From_": "postmaster@host.example", "Subject": "Undeliverable message"}, "Receiver not found: bo@bo.example\n\nYour message could not be delivered as addressed.\n\n--- Returned message ---\n{mail}", HARD + ANY_DEAD),
    "netscape": ({"From_": "Mail Administrator <Postmaster@host.example>", "Subject": "Mail System Error - Returned Mail"}, "This Message was undeliverable due to the following reason:\n\nThe intended recipients' email address, bo@bo.example, was not found in the directory. Each of the following recipients was rejected by a remote mail server. The reasons given by the server are included to help you determine why each recipient was rejected.\n\n    Recipient: <bo@bo.example>\n    Reason:    User unknown\n", HARD),
    "microsoft-smtpsvc": ({"From_": "postmaster@host.example", "Subject": "Delivery Status Notification (Failure)"}, "The email below could not be delivered to the following user:\n\nbo@bo.example\n\nOld message:\n{mail}", ANY_DEAD + HARMLESS),
    "llnl": ({"From_": "<MAILER-DAEMON@lab.example>", "Subject": "Returned mail: User unknown"}, "   ----- Transcript of session follows -----\n... while talking to mx.bo.example:\n>>> RCPT To:<bo@bo.example>\n<<< 550 <bo@bo.example>... User unknown\n550 bo@bo.example... User unknown\n\n   ----- Unsent message follows -----\n{mail}", HARD),
    "ezmlm": ({"From_": "list-help@list.example", "Subject": "failure notice", "Return_Path": "<>"}, "Hi! This is the ezmlm program.\n\n<bo@bo.example>:\n203.0.113.5 failed after I sent the message.\nRemote host said: 552 mailbox full\n", SOFT),
    "usa-net": ({"From_": "postmaster@usa.example", "Subject": "Mail delivery failure"}, "Intended recipient: <bo@bo.example>\nThe recipient's mailbox is over the allowed quota.\n", SOFT),
    "hotpop": ({"From_": "MAILER-DAEMON@pop.example", "Subject": "Undeliverable Mail"}, "Undeliverable Address: bo@bo.example\nreason: no such user\n", HARD),
    "prodigy": ({"From_": "Mail Delivery Subsystem <postmaster@isp.example>", "Subject": "Returned mail"}, "User's mailbox is full:\n  bo@bo.example\nUnable to deliver mail.\n", SOFT),
    "sina": ({"From_": "mailer@sina.example", "Subject": "系统退信"}, "Mail delivery failed: returning message to sender\nbo@bo.example 550 user not exist\n", HARD),
    "interia": ({"From_": "postmaster@poczta.example", "Subject": "Message delivery failed"}, "Delivery to bo@bo.example failed: 554 brak miejsca, quota exceeded\n", SOFT),
    "machine-ru": ({"From_": "robot@newmail.example", "Subject": "mail"}, "This is the machine generated message from mail service.\n\nUnable to deliver the message to: <bo@bo.example>\n550 no such user here\n", HARD),
    "virus-wall": ({"From_": "InterScan <virus@host.example>", "Subject": "Message from InterScan"}, "****** Message from InterScan E-Mail VirusWall NT ******\n\n** WARNING! Attached message could not be delivered to bo@bo.example: 550 relaying denied\n", POLICY),
    "x-mailer": ({"From_": "root@host.example", "Subject": "Mail failure"}, "Your message to <bo@bo.example> cannot be delivered: host unknown (Name server: bo.example: host not found)\n", HARD),
    "yale": ({"From_": "Mail Router <mailrouter@uni.example>", "Subject": "Returned mail - nameserver error report"}, "Message not delivered to the following:\n\n bo    No matches to nameserver query\n\n-- Error Detail (phquery V4.4):\n   The message, \"No matches to nameserver query,\" is generated whenever the nameserver fails to locate bo@bo.example\n\n   ----- Unsent message below -----\n{mail}", ANY_DEAD + HARMLESS),
    "bulk-filter": ({"From_": "Barracuda Spam Firewall <notify@bo.example>", "Subject": "**Message you sent blocked by our bulk email filter**"}, "Your message to: bo@bo.example was blocked by our spam firewall.\n", POLICY),
    "ironport": ({"From_": "Mail Delivery System <MAILER-DAEMON@esa.bo.example>", "Subject": "Delivery Status Notification (Failure)"}, "The following message to <bo@bo.example> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.1.1 user unknown'\n", HARD),
    "domino-text": ({"From_": "Bo_Labs_Mail@bo.example", "Subject": "DELIVERY FAILURE: User bo (bo@bo.example) not listed in Domino Directory"}, "Your message\n\n  Subject: Engineering work\n\nwas not delivered to:\n\n  bo@bo.example\n\nbecause:\n\n  User bo (bo@bo.example) not listed in Domino Directory\n", HARD),
    "lsoft": ({"From_": "L-Soft list server <LISTSERV@list.example>", "Subject": "Undelivered mail"}, "Your message was not delivered to: bo@bo.example\n550 5.1.1 unknown user\n", HARD),
    "sympa": ({"From_": "SYMPA <sympa@list.example>", "Subject": "Message distribution: Undelivered"}, "Your message for bo@bo.example could not be delivered: you are not a member\n", HARMLESS),
    "icloud": ({"From_": "Mail Delivery System <MAILER-DAEMON@me.example>", "Subject": "Undelivered Mail Returned to Sender"}, "This is the mail system at host st11.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n<bo@bo.example>: host mx[203.0.113.5] said: 550 5.1.1 user does not exist (in reply to RCPT TO command)\n", HARD),
    "from-command": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "Undelivered Mail Returned to Sender"}, "<bo@bo.example>: host mx.bo.example said: 550 5.7.1 no such user ada: your domain is not accepted (in reply to MAIL FROM command)\n", POLICY),
    "german-text": ({"From_": "Mailer-Daemon@post.example", "Subject": "Mail konnte nicht zugestellt werden"}, "Die folgende Adresse ist unbekannt:\n\n  bo@bo.example\n\n550 Benutzer unbekannt\n", HARD),
    "japanese-docomo": ({"From_": "mail-daemon@mobile.example", "Subject": "Returned mail: User unknown"}, "宛先が見つかりません\n<bo@bo.example>\n550 Unknown user bo@bo.example\n", HARD),
    "chinese": ({"From_": "postmaster@qq.example", "Subject": "系统退信/Systems bounce"}, "抱歉，您的邮件被退回来了\n收件人 bo@bo.example\n退信原因: 550 Mailbox not found\n", HARD),
    "korean": ({"From_": "mailer-daemon@naver.example", "Subject": "메일 전송 실패"}, "bo@bo.example 전송하지 못했습니다. 550 5.1.1 No such user\n", HARD),
    "portuguese": ({"From_": "postmaster@uol.example", "Subject": "Falha na entrega da mensagem"}, "A sua mensagem não pôde ser entregue para bo@bo.example: caixa cheia, quota exceeded\n", SOFT),
    "polish": ({"From_": "postmaster@wp.example", "Subject": "Niedostarczona wiadomość"}, "Wiadomość nie mogła zostać dostarczona do bo@bo.example: użytkownik nie istnieje\n", HARD),
    "dutch": ({"From_": "postmaster@kpn.example", "Subject": "Onbestelbaar: Engineering work"}, "Uw bericht kon niet worden bezorgd aan bo@bo.example: onbekend adres\n", HARD),
    "swedish": ({"From_": "postmaster@telia.example", "Subject": "Kunde inte levereras: Engineering work"}, "Meddelandet kunde inte levereras till bo@bo.example\n550 5.1.1 User unknown\n", HARD),
    "facebook": ({"From_": "Facebook <mailer-daemon@mx.facebook.example>", "Subject": "Sorry, your message could not be delivered"}, "This message was created automatically by Facebook.\n\n<bo@bo.example>: 550 5.1.1 RCP-P1 No such recipient\n", HARD),
    "mailer-plain": ({"From_": "<>", "Subject": "Warning: E-mail viruses detected"}, "Our virus detector rejected your message to bo@bo.example: 554 virus found\n", ("content", "policy", "unknown")),
    "sms": ({"From_": "postmaster@sms.example", "Subject": "Undeliverable: Engineering work"}, "Message could not be delivered to mobile.\nError: No valid recipients for this MM\n\nOriginal Message:\nFrom: ada@ada.example\nTo: bo@bo.example\nSubject: Engineering work\n", HARD),
    "trend": ({"From_": "Administrator <postmaster@bo.example>", "Subject": "Mail could not be delivered"}, "Sent <<< RCPT TO:<bo@bo.example>\nReceived >>> 450 4.2.1 mailbox temporarily disabled, try again later\n", SOFT),
    "stalwart": ({"From_": "Mail Delivery Subsystem <MAILER-DAEMON@mx.ada.example>", "Subject": "Failed to deliver message", "Auto_Submitted": "auto-generated"}, "Your message could not be delivered to the following recipients:\n\n<bo@bo.example> (host 'mx.bo.example' rejected command 'RCPT TO' with code 550 (5.1.1) 'no such user')\n", HARD),
    "haraka": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "Hi. This is the mail system at host mx.ada.example\n\nYour message could not be delivered to one or more recipients.\n\nIntended Recipients: <bo@bo.example>\nFailure Reason: Some recipients failed: <bo@bo.example>\n550 no mailbox here by that name\n", HARD),
    "spf": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "Undelivered Mail Returned to Sender"}, "<bo@bo.example>: host mx said: 550 5.7.23 The message was rejected because of Sender Policy Framework violation -> 550 5.7.23 SPF MAIL FROM check failed: user does not exist\n", POLICY),
    "account-locked": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\n552 account temporarily locked, mailbox disabled for a while, try again later\n", HARMLESS + DEAD),
    "expired": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\nI'm not going to try again; this message has been in the queue too long. Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n", SOFT),
    "no-host": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\nSorry, I couldn't find any host named bo.example. (#5.1.2)\n", HARD),
    "cname": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\nCNAME lookup failed temporarily. (#4.4.3)\n", SOFT),
    "vpopmail": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\nSorry, no mailbox here by that name. vpopmail (#5.1.1)\n", HARD),
    "rcpthosts": ({"From_": "MAILER-DAEMON@mx.ada.example", "Subject": "failure notice"}, "<bo@bo.example>:\n203.0.113.5 does not like recipient.\nRemote host said: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\n", ("policy", "unknown", "hard")),
}  # fmt: skip


def all_odd() -> Iterator[Sample]:
    for name, (headers, text, reasons) in ODD.items():
        raw = message(text.format(mail=MAIL), Message_ID=f"<odd.{name}@x.example>", **headers)
        yield Sample(f"odd-{name}", raw, "bounce", reasons, RCPT)
