"""What people answer, in fifteen languages, from clients, lists and help desks that look like machines."""

# ruff: noqa: E501  one case, one line: a table reads better wide

from collections.abc import Iterator

from tests.labelled import RCPT, Sample, message
from tests.mails import OUR_ID, OUR_TEXT

QUOTED = "\n\nOn Mon, Mar 2, 2026 at 9:30 AM Ada Testwell <ada@ada.example> wrote:\n" + "\n".join(
    f"> {line}" for line in OUR_TEXT.splitlines()
)
TEXTS = (
    "Yes, let us talk. Does Thursday work?", "Thanks for reaching out, but we are not hiring right now.", "Could you send me your CV?", "You should talk to Cy, who runs engineering. I have copied her.",
    "Sorry for the late answer, my mailbox was full last week.", "Your first mail bounced, I think: undeliverable, user unknown? Anyway, happy to talk.", "We do automatic replies to customers with our own product, could you help with that?",
    "I am out of the office until Thursday. Could we talk after that?", "Our system said: 550 user unknown. Is cy@else.example the right address, x@y.example?", "We have a policy of not hiring remotely. Sorry.", "Let me verify that with my co-founder. Guest list for our meetup: https://x.example",
    "I was on vacation, sorry! Now I am back.", "Please resend your message, the attachment was blocked by our spam filter.", "ok", "👍", "Wer sind Sie, und woher haben Sie meine Adresse?",
    "Ja, gerne. Passt Donnerstag?", "Danke, aber wir suchen gerade niemanden.", "Oui, avec plaisir. Jeudi ?", "Merci, mais nous ne recrutons pas en ce moment.", "Sí, hablemos el jueves.", "Gracias, pero no estamos contratando.", "Sì, sentiamoci giovedì.", "Grazie, ma non stiamo assumendo.",
    "Sim, vamos conversar na quinta.", "Obrigado, mas não estamos contratando.", "Ja, laten we donderdag bellen.", "Nee bedankt, we zoeken niemand.", "Tak, porozmawiajmy w czwartek.", "Dziękuję, nie szukamy nikogo.", "Ano, ve čtvrtek se mi to hodí.", "Ja, gärna på torsdag.", "Ja tak, torsdag passer fint.",
    "Joo, torstai sopii.", "Да, давайте поговорим в четверг.", "Так, у четвер зручно.", "Evet, perşembe uygun.", "はい、木曜日にお話ししましょう。", "好的，周四可以。", "네, 목요일 좋아요.",
)  # fmt: skip
WAYS: dict[str, dict[str, str]] = {
    "plain": {"In_Reply_To": OUR_ID, "References": OUR_ID},
    "list": {"In_Reply_To": OUR_ID, "Precedence": "list", "List_Id": "<team.bo.example>"},
    "help-desk": {"In_Reply_To": OUR_ID, "X_Auto_Response_Suppress": "All"},
}
OPT_OUTS = ("stop", "Please remove me from your list.", "Take me off this list.", "Unsubscribe", "Bitte keine weiteren Mails mehr.", "Nehmen Sie mich aus Ihrem Verteiler.", "Merci de me retirer de votre liste.", "Por favor, no me escriban más.", "Cancellatemi dalla lista.",
            "Não quero mais receber e-mails.", "Graag uitschrijven.", "Proszę mnie wypisać.", "Do not contact me again.", "I object to the processing of my data.", "Delete my data, please.")  # fmt: skip


def answers() -> Iterator[Sample]:
    for number, text in enumerate(TEXTS):
        for name, more in WAYS.items():
            headers = {
                "From_": f"Bo Brightly <{RCPT}>",
                "Subject": "Re: Engineering work",
                "Message_ID": f"<p{number}.{name}@bo.example>",
                "Content_Type": "text/plain; charset=utf-8",
                **more,
            }
            yield Sample(
                f"person-{number:02d}-{name}", message(text + (QUOTED if number % 2 else ""), **headers), "reply"
            )
    odd = {
        "colleague": (
            {"From_": "Cy <cy@bo.example>", "In_Reply_To": OUR_ID},
            "Bo forwarded your mail. Yes, let us talk.",
        ),
        "alias": (
            {"From_": "Bo <bo@private.example>", "References": f"<x@y.example> {OUR_ID}"},
            "Writing from my private address. Yes!",
        ),
        "no-thread": ({"From_": f"Bo <{RCPT}>", "Subject": "Your mail"}, "Yes, let us talk."),
        "no-subject": ({"From_": f"Bo <{RCPT}>", "Subject": "", "In_Reply_To": OUR_ID}, "Yes."),
        "forwarded-bounce": (
            {"From_": f"Bo <{RCPT}>", "Subject": "Fwd: Undelivered Mail Returned to Sender", "In_Reply_To": OUR_ID},
            "Is this yours?\n\n---------- Forwarded message ---------\nThis message was created automatically by mail delivery software.\n  x@else.example\n 550 user unknown\n",
        ),
        "answers-an-absence": (
            {"From_": f"Bo <{RCPT}>", "In_Reply_To": OUR_ID, "X_Mailer": "iPhone Mail"},
            "Back from leave now. Let us talk.\n\nSent from my iPhone",
        ),
        "admin": (
            {"From_": "Administrator Bo <admin@bo.example>", "In_Reply_To": OUR_ID},
            "This is Bo, I read that mailbox too. Yes, let us talk!",
        ),
        "subject-of-ours": (
            {
                "From_": f"Bo <{RCPT}>",
                "In_Reply_To": OUR_ID,
                "Subject": "RE: Engineering work",
                "Thread_Topic": "Engineering work",
            },
            "Sure.",
        ),
    }
    for name, (more, text) in odd.items():
        yield Sample(
            f"person-{name}",
            message(text, **{"Subject": "Re: Engineering work", "Message_ID": f"<o.{name}@bo.example>", **more}),
            "reply",
        )


def opt_outs() -> Iterator[Sample]:
    for number, text in enumerate(OPT_OUTS):
        headers = {
            "From_": f"Bo Brightly <{RCPT}>",
            "Subject": "Re: Engineering work",
            "In_Reply_To": OUR_ID,
            "Message_ID": f"<u{number}@bo.example>",
            "Content_Type": "text/plain; charset=utf-8",
        }
        yield Sample(f"opt-out-{number:02d}", message(text + QUOTED, **headers), "unsubscribe", ("human",))


def all_people() -> list[Sample]:
    return [*answers(), *opt_outs()]
