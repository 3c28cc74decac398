"""Requests not to be written to, and answers that only sound like one: eight languages."""

# ruff: noqa: E501  one language, a few lines: a table reads better wide

ASKED: dict[str, tuple[str, ...]] = {
    "en": ("stop", "STOP please", "unsubscribe", "Unsubscribe!", "remove", "opt-out", "Please take me off.", "Pls remove me from this list", "remove us from your mailing list", "Take my address off your list.",
           "stop sending me emails", "Please stop writing to me.", "Stop spamming me.", "Do not email me again", "Don't contact us any more.", "Never write to me again.", "Please do not send me any further emails.", "I don't want to hear from you again.",
           "I want to opt out.", "I wish to be removed from your database.", "Please opt me out.", "No more messages, please.", "No further contact please.", "Erase my details.", "I object to the use of my data.", "Please refrain from contacting me.", "Lose my email address.", "Kindly unsubscribe us.",
           "Not interested, please stop.", "We are not interested. Remove us.", "You do not have my consent to email me.", "Delete me from your list.", "Please cease all communication."),
    "de": ("Abmelden bitte", "Austragen!", "Stopp", "Bitte austragen", "Bitte entfernen Sie meine Adresse aus Ihrer Liste.", "Nehmt mich bitte aus dem Verteiler.", "Ich möchte keine weiteren E-Mails erhalten.", "Ich will keine Mails mehr von Ihnen.", "Bitte schreiben Sie mir nicht mehr.", "Bitte kontaktieren Sie mich nicht mehr.",
           "Löschen Sie meine Daten.", "Bitte löschen Sie alle meine personenbezogenen Daten.", "Ich widerspreche der Nutzung meiner Daten.", "Hören Sie auf, mir zu schreiben.", "Bitte sehen Sie von weiteren Mails ab.", "Unterlassen Sie weitere Anfragen.", "Keine Werbung mehr!", "Streichen Sie mich bitte."),
    "fr": ("Désinscription", "Désabonnez-moi", "Stop", "Merci de me désinscrire.", "Merci de ne plus me contacter.", "Merci de ne plus m'envoyer de mails.", "Veuillez me retirer de votre liste.", "Veuillez supprimer mes données.", "Supprimez-moi de vos fichiers.", "Retirez mon adresse de votre liste.",
           "Je ne veux plus recevoir vos mails.", "Ne m'écrivez plus.", "Arrêtez de m'écrire.", "Cessez de me contacter.", "Je m'oppose au traitement de mes données.", "Je souhaite me désabonner.", "Prière de ne plus me solliciter."),
    "es": ("Baja", "Dar de baja", "Darme de baja por favor", "Quiero darme de baja.", "Elimíneme de su lista.", "Por favor, bórrenme de la lista.", "No me escriban más.", "No me envíen más correos.", "No quiero recibir sus correos.", "Dejen de enviarme correos.", "Quítenme de su lista.", "Borren mis datos.",
           "Solicito la eliminación de mis datos.", "No deseo recibir más mensajes.", "Me opongo al tratamiento de mis datos."),
    "it": ("Cancellami", "Disiscrivimi", "Basta", "Cancellatemi dalla vostra lista.", "Rimuovete il mio indirizzo.", "Toglietemi dalla lista.", "Non scrivetemi più.", "Non contattatemi più.", "Smettete di inviarmi email.", "Non voglio più ricevere email.", "Non desidero ricevere altre email.", "Cancellate i miei dati.",
           "Mi oppongo al trattamento dei miei dati.", "Vi prego di non contattarmi più."),
    "pt": ("Descadastrar", "Remover", "Parar", "Quero sair da lista.", "Remova-me da sua lista.", "Retirem o meu email da lista.", "Não me enviem mais emails.", "Não me contactem mais.", "Não quero receber mais mensagens.", "Não desejo receber emails.", "Parem de me escrever.", "Pare de enviar emails.", "Apague os meus dados.",
           "Oponho-me ao tratamento dos meus dados.", "Por favor, me descadastre."),
    "nl": ("Uitschrijven", "Graag uitschrijven.", "Afmelden aub", "Verwijder mij uit uw lijst.", "Haal mij van de lijst.", "Schrijf me uit.", "Ik wil geen e-mails meer ontvangen.", "Geen mails meer alstublieft.", "Stop met mailen.", "Mail mij niet meer.", "Neem geen contact meer met mij op.", "Verwijder mijn gegevens.",
           "Ik maak bezwaar tegen het gebruik van mijn gegevens.", "Gelieve mij niet meer te contacteren."),
    "pl": ("Wypisz mnie", "Proszę mnie wypisać.", "Rezygnuję", "Proszę usunąć mój adres.", "Usuńcie mnie z listy.", "Proszę o usunięcie moich danych.", "Proszę nie wysyłać więcej maili.", "Nie piszcie do mnie więcej.", "Nie chcę dostawać takich wiadomości.", "Nie życzę sobie więcej wiadomości.", "Proszę wykreślić nas z bazy.",
           "Sprzeciwiam się przetwarzaniu moich danych.", "Proszę o zaprzestanie kontaktu."),
}  # fmt: skip

NOT_ASKED: tuple[str, ...] = (
    "Yes please, let us talk.", "Stop by on Thursday!", "Our users unsubscribe when the list is too long.", "Can you remove the second clause from the offer?", "We had to take the service off line.", "I do not want to miss this, send more.", "Don't stop, I like your mails.", "We delete old data every year.",
    "I can't stop thinking about it.", "No, thank you.", "Not interested.", "We are not interested at the moment, thanks.", "Please contact me again in June.", "Please don't hesitate to contact me again.", "Do not hesitate to write to me.", "I never opt out of a good talk.", "Please send no more than two pages.", "No more questions from me, let us meet.",
    "Could you stop by?", "Schreiben Sie mir gern wieder im Sommer.", "Löschen Sie die alte Datei, hier ist die neue.", "Nein danke.", "Wir möchten gerne mehr erfahren.", "Kein Interesse.", "Non merci.", "N'hésitez pas à me contacter.", "Je ne suis pas disponible jeudi.", "Ne m'écrivez pas à cette adresse mais à cy@bo.example.", "No, gracias.", "No dude en escribirme.", "No me envió el archivo.",
    "No, grazie.", "Non esitate a scrivermi.", "Não, obrigado.", "Não hesite em me contactar.", "Nee, bedankt.", "Aarzel niet om mij te mailen.", "Nie, dziękuję.", "Proszę pisać na inny adres.",
    "Drop me a line next week.", "Forget my last email, I found the file.", "I don't agree to this price.", "Schrijf me gerust volgende week.", "Quero cancelar a reunião de quinta.", "Poderia me tirar uma dúvida?", "Non mi ha scritto nessuno.", "Ich möchte keine Nachricht verpassen.", "Remove the second line of the contract, please.", "Stop! Hammer time. Yes, let us talk.",
)  # fmt: skip
