"""Requests not to be written to are found by words alone, in eight languages."""

# ruff: noqa: E501  one case, one line: a table reads better wide

import pytest

from outreach.core.opt_out import find_doubtful, find_opt_out

CLEAR = [
    "stop", "STOP!!!", "Unsubscribe", "unsubscribe please", "Remove.", "Please remove me", "Opt out", "Take me off",
    "Unsubscribe\n\nBo Brightly\nCEO, Bo Labs\n+1 555 0100",
    "Please remove me from your list.", "Remove my email from your database", "Kindly remove our email address.",
    "Take me off this list.", "Take our company off your list, thanks.", "Please stop emailing me.", "Stop contacting us",
    "Do not contact me again.", "Don't email me anymore, this is the third time. Don't write to me.",
    "I don't want to receive these emails.", "We do not wish to be contacted.", "I'd like to opt out.",
    "I would like to unsubscribe.", "Please unsubscribe me.", "No more emails please.", "Delete my data.",
    "Please delete all of my personal information.", "I object to the processing of my data.", "Cease and desist.",
    "Hi Ada,\n\nnot interested, please remove us from your mailing.\n\nBo",
    "If you don't stop emailing me, I'll report you.", "If you do not remove me from your list I will complain.",
    "I would appreciate it if you would remove me from your list.", "You never stop emailing me.",
    "You still did not remove me from your list", "Why do you not take me off your list?", "Can you not stop emailing me",
    "Hi Ada,\n\nStop.\n\nBo", "Nope.\nSTOP", "Ada,\nunsubscribe\nBo Brightly", "Merci de ne plus m'écrire.",
    "Hi Shannon\nremove me from your list", "I cannot unsubscribe my address.", "Certainly not\n\nTake me off your list",
    "Abmelden", "Bitte nehmen Sie mich aus Ihrem Verteiler.", "Bitte löschen Sie meine Daten.", "Keine Mails mehr bitte",
    "Bitte keine weiteren E-Mails schicken.", "Schreiben Sie mir bitte nicht mehr.", "Kontaktieren Sie uns nicht mehr.",
    "Hiermit widerspreche ich der Verarbeitung meiner Daten.", "Streichen Sie mich von der Liste!",
    "Désinscription", "Merci de me retirer de votre liste.", "Veuillez ne plus me contacter.", "Retirez-moi de cette liste",
    "Je ne souhaite plus recevoir vos messages.", "Ne me contactez plus.", "Supprimez mes données.",
    "Baja", "No quiero recibir más correos.", "Por favor, elimíneme. Elimíname de la lista.", "Dejen de escribirme.",
    "No me contacten más.", "Quiero darme de baja.",
    "Cancellami", "Rimuovetemi dalla lista.", "Non mi contattate più.", "Non desidero più ricevere email.",
    "Smettete di scrivermi.",
    "Descadastrar", "Não quero mais receber emails.", "Remova-me da lista.", "Parem de enviar mensagens.",
    "Uitschrijven", "Verwijder mij uit de lijst.", "Ik wil geen mails meer.", "Mail mij niet meer.",
    "Wypisz mnie", "Proszę usunąć mnie z listy.", "Proszę nie pisać więcej.", "Nie chcę otrzymywać wiadomości.",
]  # fmt: skip

NOT = [
    "Yes, let us talk.", "Sounds good, can we speak on Monday?", "Not now, try again in autumn.", "No thanks.",
    "Stop by our office when you are in Berlin.", "Our users unsubscribe a lot; could you help with that?",
    "Please don't remove me!", "Thank you, but do not remove me yet.", "Merci de ne pas répondre à tous.", "I'm glad you wrote, never stop writing!", "We removed that service last year.", "Could you remove the second attachment?",
    "I never stop thinking about parsers.", "How would you delete data at scale?", "We are not hiring.",
    "Danke, gerne am Montag.", "Wir löschen gerade unsere alte Datenbank.", "Merci, avec plaisir.", "Nous cherchons plutôt un designer.",
    "Gracias, hablamos mañana.", "Grazie, sentiamoci.", "Obrigado, vamos falar.", "Bedankt, tot maandag.", "Dziękuję, porozmawiajmy.",
    "", "\n\n", "???",
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAR)
def test_clear_requests(text: str) -> None:
    assert find_opt_out(text)


@pytest.mark.parametrize("before", ["Absolutely not", "Not for us, thanks but no", "Nein, danke, nicht"])
def test_a_short_line_ends_its_sentence(before: str) -> None:
    assert find_opt_out(f"{before}\nPlease remove me from your list")
    assert not find_opt_out("I like your mails, so please do not\nremove me from your list")
    wrapped = (
        "Thank you for your mail, which I have read with interest; please do not\nRemove me from the CC, as you asked"
    )
    assert not find_opt_out(wrapped)


@pytest.mark.parametrize("text", NOT)
def test_what_is_no_request(text: str) -> None:
    assert not find_opt_out(text)


@pytest.mark.parametrize("text", ["Our users unsubscribe a lot", "Stop by our office", "Is this GDPR proof?"])
def test_what_a_person_should_read(text: str) -> None:
    assert find_doubtful(text)


def test_most_answers_raise_no_doubt() -> None:
    assert not find_doubtful("Yes, let us talk on Monday.")
