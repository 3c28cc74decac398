"""What other machines answer: absences, tickets, sender checks, complaints, receipts, and mail that is no answer."""

# ruff: noqa: E501  one case, one line: a table reads better wide

from collections.abc import Iterator

from tests.labelled import BODY, RCPT, RETURNED, Sample, message, multipart
from tests.labelled.bounces import amazon, dsn
from tests.mails import ME, OUR_ID

BO = {"From_": f"Bo Brightly <{RCPT}>", "Subject": "Re: Engineering work"}
AWAY, LEFT, TICKET, OTHER = ("out_of_office",), ("left",), ("ticket",), ("other", "ticket")

# language → subject as Exchange writes it, and an absence in that language.
LANGUAGES = {
    "en": ("Automatic reply: Engineering work", "I am out of the office until 12 March 2026 with limited access to mail."),
    "de": ("Automatische Antwort: Engineering work", "Ich bin bis zum 12.03.2026 nicht im Büro."),
    "fr": ("Réponse automatique : Engineering work", "Je suis absent jusqu'au 12 mars 2026."),
    "es": ("Respuesta automática: Engineering work", "Estoy de vacaciones hasta el 12 de marzo de 2026."),
    "it": ("Risposta automatica: Engineering work", "Sono fuori ufficio fino al 12 marzo 2026."),
    "pt": ("Resposta automática: Engineering work", "Estou fora do escritório até 12 de março de 2026."),
    "nl": ("Automatisch antwoord: Engineering work", "Ik ben afwezig tot 12 maart 2026."),
    "pl": ("Odpowiedź automatyczna: Engineering work", "Jestem na urlopie do 12 marca 2026."),
    "cs": ("Automatická odpověď: Engineering work", "Jsem mimo kancelář, vrátím se 12. 3. 2026."),
    "sv": ("Autosvar: Engineering work", "Jag är på semester till 12 mars."),
    "da": ("Automatisk svar: Engineering work", "Jeg er på ferie indtil 12. marts."),
    "fi": ("Automaattinen vastaus: Engineering work", "Olen lomalla 12.3. asti."),
    "ru": ("Автоматический ответ: Engineering work", "Я в отпуске до 12 марта."),
    "uk": ("Автоматична відповідь: Engineering work", "Я у відпустці до 12 березня."),
    "el": ("Αυτόματη απάντηση: Engineering work", "Είμαι εκτός γραφείου έως 12 Μαρτίου."),
    "tr": ("Otomatik yanıt: Engineering work", "12 Mart'a kadar izindeyim."),
    "ja": ("自動返信: Engineering work", "3月12日まで休暇をいただいております。"),
    "zh": ("自动回复: Engineering work", "我目前不在办公室。"),
    "ko": ("자동 회신: Engineering work", "휴가 중입니다."),
    "hu": ("Automatikus válasz: Engineering work", "Szabadságon vagyok."),
    "ro": ("Răspuns automat: Engineering work", "Sunt în concediu."),
    "he": ("תשובה אוטומטית: Engineering work", "אני בחופשה."),
    "ar": ("رد تلقائي: Engineering work", "أنا في إجازة."),
}  # fmt: skip
EXCHANGE = {
    "X_Auto_Response_Suppress": "All",
    "X_MS_Exchange_Inbox_Rules_Loop": RCPT,
    "Auto_Submitted": "auto-generated",
}


def absences() -> Iterator[Sample]:
    for language, (subject, text) in LANGUAGES.items():
        for name, more in {
            "exchange": EXCHANGE,
            "bare": {},
            "sieve": {"Auto_Submitted": "auto-replied (vacation)", "In_Reply_To": OUR_ID, "Return_Path": "<>"},
        }.items():
            headers = {
                **BO,
                "Subject": subject,
                "Message_ID": f"<{language}.{name}@bo.example>",
                "Content_Type": "text/plain; charset=utf-8",
                **more,
            }
            yield Sample(f"auto-{language}-{name}", message(text, **headers), "auto_reply", AWAY)
    english = LANGUAGES["en"][1]
    senders: dict[str, tuple[dict[str, str], str, tuple[str, ...]]] = {
        "gmail": (
            {"Auto_Submitted": "auto-replied", "Precedence": "bulk", "X_Autoreply": "yes", "In_Reply_To": OUR_ID},
            english,
            AWAY,
        ),
        "icloud": ({"X_Apple_Action": "VACATION"}, "Gone fishing.", AWAY),
        "notes": (
            {"Subject": "AUTO: Roe, Jane is out of the office (returning 03/12/2026)"},
            "I am out of the office.",
            AWAY,
        ),
        "notes-old": ({"Subject": "Bo Brightly/BoLabs is out of the office."}, "I will respond when I return.", AWAY),
        "gmx": ({"Return_Path": "<>", "Precedence": "bulk"}, "Bin im Urlaub, melde mich danach.", AWAY),
        "mimecast": (
            {"From_": f"noreply <{RCPT}>", "Subject": "AutoResponse: Engineering work"},
            "Your mail has arrived.",
            OTHER,
        ),
        "precedence": ({"Precedence": "auto_reply"}, "Thanks, I will read your mail soon.", OTHER),
        "x-autorespond": ({"X_Autorespond": "Engineering work"}, "Thanks for your mail.", OTHER),
        "zimbra": ({"Auto_Submitted": "auto-replied (zimbra; vacation)", "Return_Path": "<>"}, english, AWAY),
        "generated-source": (
            {"X_MS_Exchange_Generated_Message_Source": "Mailbox Rules Agent"},
            "Thank you, I am travelling.",
            AWAY,
        ),
        "encoded": ({"Subject": "=?UTF-8?B?QXV0b21hdGlzY2hlIEFudHdvcnQ6IHg=?="}, "Ich melde mich.", (*AWAY, "other")),
        "utf7": ({"Subject": "=?unicode-1-1-utf-7?Q?Abwesenheitsnotiz:_x?="}, "x", AWAY),
        "phrase": ({"Subject": "Engineering work"}, f"Hello,\n\n{english}\n\nBo", AWAY),
        "left": (
            {"Auto_Submitted": "auto-replied"},
            "Bo Brightly is no longer with Bo Labs. Please contact cy@bo.example.",
            LEFT,
        ),
        "left-de": (
            {"Subject": "Automatische Antwort: Engineering work"},
            "Herr Brightly ist nicht mehr im Unternehmen tätig.",
            LEFT,
        ),
        "left-fr": ({"Subject": "Réponse automatique : x"}, "M. Brightly ne travaille plus chez nous.", LEFT),
        "unwatched": ({"Auto_Submitted": "auto-replied"}, "This mailbox is not monitored.", LEFT),
        "zendesk": (
            {
                "Auto_Submitted": "auto-replied",
                "Subject": "[Request received] Engineering work",
                "From_": "Bo Labs <support@bo.example>",
            },
            "Your request (#4711) has been received.",
            TICKET,
        ),
        "otrs": (
            {"Auto_Submitted": "auto-generated", "Subject": "[Ticket#2026030210000017] RE: Engineering work"},
            "Thank you for your email. Ticket 2026030210000017.",
            TICKET,
        ),
        "jira": (
            {"Auto_Submitted": "auto-replied", "Subject": "HELP-123 Engineering work"},
            "We have received your request [HELP-123].",
            TICKET,
        ),
        "conference": (
            {"Auto_Submitted": "auto-replied", "X_Autoreply": "yes"},
            "Thanks! I read mail twice a day.",
            OTHER,
        ),
    }
    for name, (more, text, subkinds) in senders.items():
        headers = {**BO, "Message_ID": f"<auto.{name}@bo.example>", "Content_Type": "text/plain; charset=utf-8", **more}
        yield Sample(f"auto-{name}", message(text, **headers), "auto_reply", subkinds)


def complaints() -> Iterator[Sample]:
    for number, kind in enumerate(("abuse", "fraud", "virus", "other")):
        made = multipart(("text/plain", "This is an email abuse report for an email message received from IP 192.0.2.7."),
                         ("message/feedback-report", f"Feedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Rcpt-To: {RCPT if number else 'redacted'}\n"),
                         ("message/rfc822", f"{RETURNED}\n{BODY}"), kind="report; report-type=feedback-report")  # fmt: skip
        yield Sample(
            f"arf-{kind}",
            message(
                made[1],
                From_="fbl@provider.example",
                Subject="FW: Engineering work",
                Content_Type=made[0],
                Message_ID=f"<arf{number}@x.example>",
            ),
            "complaint",
        )
    mixed = multipart(("message/rfc822", f"X-HmXmrOriginalRecipient: {RCPT}\n{RETURNED}\n{BODY}"), kind="mixed")
    yield Sample(
        "arf-hotmail",
        message(
            mixed[1], From_="staff@hotmail.com", Subject="complaint about message from 192.0.2.7", Content_Type=mixed[0]
        ),
        "complaint",
    )
    yield Sample(
        "arf-ses",
        message(
            mixed[1],
            From_="complaints@email-abuse.amazonses.com",
            Subject="complaint about message from 192.0.2.7",
            Content_Type=mixed[0],
        ),
        "complaint",
    )
    headers = multipart(
        ("text/plain", "x"),
        ("message/feedback-report", "Feedback-Type: abuse\nVersion: 1\n"),
        ("text/rfc822-headers", RETURNED),
        kind="report; report-type=feedback-report",
    )
    yield Sample(
        "arf-headers",
        message(headers[1], From_="abuse@isp.example", Subject="Abuse report", Content_Type=headers[0]),
        "complaint",
    )
    yield Sample(
        "arf-unwrapped",
        message(
            f"This is an email abuse report for an email message received from 192.0.2.7.\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: {RCPT}\n\n{RETURNED}",
            From_="feedbackloop@isp.example",
            Subject="Abuse report",
        ),
        "complaint",
    )
    for wrapped in (True, False):
        text = amazon("Complaint", "abuse", [{"emailAddress": RCPT}], wrapped=wrapped)
        yield Sample(
            f"arf-sns-{wrapped}",
            message(
                text,
                From_="no-reply@sns.amazonaws.example",
                Subject="AWS Notification Message",
                Message_ID=f"<c{wrapped}@x.example>",
            ),
            "complaint",
        )


def challenges() -> Iterator[Sample]:
    yield Sample(
        "challenge-boxbe",
        message(
            "To be added to Bo's guest list, click https://x.example",
            From_="Bo Brightly <bo@mail.boxbe.com>",
            Subject="Re: Engineering work",
            In_Reply_To=OUR_ID,
        ),
        "challenge",
    )
    yield Sample(
        "challenge-arrest",
        message(
            "Please verify that you are a person: https://x.example",
            From_=f"Bo <{RCPT}>",
            Subject="Re: Engineering work (Verification)",
            X_Spamarrest="x",
        ),
        "challenge",
    )
    yield Sample(
        "challenge-words",
        message("Your message to me is being held. Click here to deliver it: https://x.example", **BO),
        "challenge",
    )
    yield Sample(
        "challenge-allowed",
        message("You are not yet on my allowed list. https://x.example/verify", Auto_Submitted="auto-replied", **BO),
        "challenge",
    )
    made = dsn(
        "5.7.1",
        "550 5.7.1 sender not on the guest list",
        text="I only read mail from my guest list. To have your message delivered, click https://x.example",
    )
    yield Sample(
        "challenge-report",
        message(made[1], From_=f"Bo <{RCPT}>", Subject="Engineering work", Content_Type=made[0]),
        "challenge",
    )


def receipts() -> Iterator[Sample]:
    for action in ("delivered", "relayed", "expanded"):
        made = dsn("2.0.0", "250 2.0.0 ok", action=action, text="Your message was successfully delivered.")
        yield Sample(
            f"receipt-{action}",
            message(
                made[1],
                From_="MAILER-DAEMON@mx.ada.example",
                Subject="Successful Mail Delivery Report",
                Content_Type=made[0],
            ),
            "receipt",
            ("delivered",),
        )
    for mode in ("manual-action/MDN-sent-manually; displayed", "automatic-action/MDN-sent-automatically; deleted"):
        mdn = multipart(
            ("text/plain", "Your message was displayed."),
            (
                "message/disposition-notification",
                f"Final-Recipient: rfc822; {RCPT}\nOriginal-Message-ID: {OUR_ID}\nDisposition: {mode}\n",
            ),
            kind="report; report-type=disposition-notification",
        )
        yield Sample(
            f"receipt-{mode[:6]}",
            message(mdn[1], From_=f"Bo <{RCPT}>", Subject="Read: Engineering work", Content_Type=mdn[0]),
            "receipt",
            ("read",),
        )
    for wrapped in (True, False):
        text = amazon("Delivery", "", [], wrapped=wrapped)
        yield Sample(
            f"receipt-sns-{wrapped}",
            message(
                text,
                From_="no-reply@sns.amazonaws.example",
                Subject="AWS Notification Message",
                Message_ID=f"<d{wrapped}@x.example>",
            ),
            "receipt",
        )


def unsubscribes() -> Iterator[Sample]:
    token = "abcdefghijklmnopqrstuvwxyz"
    yield Sample(
        "unsubscribe-link",
        message("", From_=f"Bo <{RCPT}>", Subject=f"unsubscribe {token}"),
        "unsubscribe",
        ("machine",),
    )
    yield Sample(
        "unsubscribe-apple",
        message("", From_=f"Bo <{RCPT}>", Subject="Re: x", X_Apple_Unsubscribe="true", Auto_Submitted="auto-replied"),
        "unsubscribe",
        ("machine",),
    )
    yield Sample(
        "unsubscribe-plus",
        message("", From_=f"Bo <{RCPT}>", Subject="x", To=f"ada+u-{token}@ada.example"),
        "unsubscribe",
        ("machine",),
    )
    made = multipart(
        ("text/plain", "x"),
        ("message/feedback-report", f"Feedback-Type: opt-out\nOriginal-Rcpt-To: {RCPT}\n"),
        ("message/rfc822", RETURNED),
        kind="report; report-type=feedback-report",
    )
    yield Sample(
        "unsubscribe-report",
        message(made[1], From_="fbl@x.example", Subject="x", Content_Type=made[0]),
        "unsubscribe",
        ("machine",),
    )


def strangers() -> Iterator[Sample]:
    """No answers to us, and nobody's bounce."""
    cases = {
        "newsletter": (
            {
                "From_": "News <news@shop.example>",
                "Subject": "50 % off",
                "List_Unsubscribe": "<mailto:x@shop.example>",
                "Precedence": "bulk",
            },
            "Buy now. Your order is never delayed.",
            "automatic",
        ),
        "noreply": (
            {"From_": "noreply@shop.example", "Subject": "Your parcel is delayed"},
            "Your order could not be delivered today and has been delayed.",
            "automatic",
        ),
        "build": (
            {"From_": "ci@host.example", "Subject": "Build failed", "Auto_Submitted": "auto-generated"},
            "The build failed with error 550.",
            "automatic",
        ),
        "list": (
            {
                "From_": "Cy <cy@list.example>",
                "Subject": "Re: [users] mailbox full",
                "List_Id": "<users.list.example>",
                "Precedence": "list",
            },
            "My mailbox was full, mail could not be delivered, user unknown.",
            "automatic",
        ),
        "friend": (
            {"From_": "Mum <mum@family.example>", "Subject": "Dinner on Sunday?"},
            "Are you coming?",
            "unrelated",
        ),
        "spam": (
            {"From_": "Win <x@spam.example>", "Subject": "You have won", "Return_Path": "<>"},
            "Claim your prize now.",
            "unrelated",
        ),
        "dmarc": (
            {"From_": "noreply-dmarc@provider.example", "Subject": "Report domain: ada.example"},
            "This is a DMARC aggregate report.",
            "automatic",
        ),
        "stranger-away": (
            {"From_": "Eve <eve@else.example>", "Subject": "hello"},
            "I have a question about your product, could we talk?",
            "unrelated",
        ),
    }
    for name, (headers, text, kind) in cases.items():
        yield Sample(
            f"stranger-{name}", message(text, Message_ID=f"<s.{name}@x.example>", **headers), kind, linked=False
        )
    yield Sample(
        "own-copy",
        message(
            BODY,
            From_=f"Ada Testwell <{ME}>",
            To=RCPT,
            Subject="Engineering work",
            Message_ID=OUR_ID,
            References=OUR_ID,
            X_Outreach_Id="abcdefghijklmnopqrstuvwxyz",
        ),
        "own",
        ("copy",),
    )
    yield Sample(
        "own-by-hand",
        message(
            "Hi Bo, one more thing.",
            From_=f"Ada Testwell <{ME}>",
            To=RCPT,
            Subject="Re: Engineering work",
            Message_ID="<hand@ada.example>",
        ),
        "own",
        ("by_hand",),
    )


def all_machines() -> list[Sample]:
    return [*absences(), *complaints(), *challenges(), *receipts(), *unsubscribes(), *strangers()]
