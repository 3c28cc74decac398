"""Answers as twelve clients write them in fifteen languages, plain and HTML, with the new text they hold."""

# ruff: noqa: E501  one language, one line: a table reads better wide

import html as markup
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.labelled import RCPT, message
from tests.mails import ME, OUR_ID, OUR_TEXT


@dataclass(frozen=True, slots=True)
class Language:
    """What clients put around a quote in one language. `labels`: from, sent, to, subject; `{who}` is our name and address."""

    answer: str
    attribution: str
    labels: tuple[str, str, str, str]
    original: str
    phone: str
    outlook: str


WHO = f"Ada Testwell <{ME}>"
LANGUAGES = {
    "en": Language("Yes, we are hiring. Could you call on Thursday?\n\nBest,\nBo", f"On Mon, Mar 2, 2026 at 9:30 AM {WHO} wrote:", ("From", "Sent", "To", "Subject"), "Original Message", "Sent from my iPhone", "Get Outlook for iOS"),
    "de": Language("Ja, wir suchen jemanden. Passt Ihnen Donnerstag?\n\nViele Grüße\nBo", f"Am Mo., 2. März 2026 um 09:30 Uhr schrieb {WHO}:", ("Von", "Gesendet", "An", "Betreff"), "Ursprüngliche Nachricht", "Von meinem iPhone gesendet", "Outlook für iOS beziehen"),
    "fr": Language("Oui, nous recrutons. Jeudi vous convient ?\n\nCordialement,\nBo", f"Le lun. 2 mars 2026 à 09:30, {WHO} a écrit :", ("De", "Envoyé", "À", "Objet"), "Message d'origine", "Envoyé de mon iPhone", "Obtenir Outlook pour iOS"),
    "es": Language("Sí, buscamos a alguien. ¿Le viene bien el jueves?\n\nSaludos,\nBo", f"El lun, 2 mar 2026 a las 9:30, {WHO} escribió:", ("De", "Enviado", "Para", "Asunto"), "Mensaje original", "Enviado desde mi iPhone", "Obtener Outlook para iOS"),
    "it": Language("Sì, stiamo assumendo. Va bene giovedì?\n\nSaluti,\nBo", f"Il giorno lun 2 mar 2026 alle ore 09:30 {WHO} ha scritto:", ("Da", "Inviato", "A", "Oggetto"), "Messaggio originale", "Inviato da iPhone", "Scarica Outlook per iOS"),
    "pt": Language("Sim, estamos contratando. Pode ser na quinta?\n\nAbraço,\nBo", f"Em seg., 2 de mar. de 2026 às 09:30, {WHO} escreveu:", ("De", "Enviado", "Para", "Assunto"), "Mensagem original", "Enviado do meu iPhone", "Obter o Outlook para iOS"),
    "nl": Language("Ja, wij zoeken iemand. Schikt donderdag?\n\nGroet,\nBo", f"Op ma 2 mrt 2026 om 09:30 schreef {WHO}:", ("Van", "Verzonden", "Aan", "Onderwerp"), "Oorspronkelijk bericht", "Verstuurd vanaf mijn iPhone", "Outlook voor iOS downloaden"),
    "pl": Language("Tak, szukamy kogoś. Czy pasuje czwartek?\n\nPozdrawiam,\nBo", f"pon., 2 mar 2026 o 09:30 {WHO} napisał(a):", ("Od", "Wysłano", "Do", "Temat"), "Wiadomość oryginalna", "Wysłane z iPhone'a", "Pobierz program Outlook dla systemu iOS"),
    "sv": Language("Ja, vi söker någon. Passar torsdag?\n\nHälsningar\nBo", f"Den mån 2 mars 2026 kl 09:30 skrev {WHO}:", ("Från", "Skickat", "Till", "Ämne"), "Ursprungligt meddelande", "Skickat från min iPhone", "Hämta Outlook för iOS"),
    "da": Language("Ja, vi søger nogen. Passer torsdag?\n\nHilsen\nBo", f"Den man. 2. mar. 2026 kl. 09.30 skrev {WHO}:", ("Fra", "Sendt", "Til", "Emne"), "Oprindelig meddelelse", "Sendt fra min iPhone", "Hent Outlook til iOS"),
    "cs": Language("Ano, někoho hledáme. Hodí se čtvrtek?\n\nS pozdravem\nBo", f"po 2. 3. 2026 v 9:30 odesílatel {WHO} napsal:", ("Od", "Odesláno", "Komu", "Předmět"), "Původní zpráva", "Odesláno z iPhonu", "Získat Outlook pro iOS"),
    "fi": Language("Kyllä, etsimme jotakuta. Sopiiko torstai?\n\nTerveisin\nBo", f"ma 2. maalisk. 2026 klo 9.30 {WHO} kirjoitti:", ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"), "Alkuperäinen viesti", "Lähetetty iPhonesta", "Hanki Outlook for iOS"),
    "ru": Language("Да, мы ищем человека. Вам удобно в четверг?\n\nС уважением,\nБо", f"пн, 2 мар. 2026 г. в 09:30, {WHO}:", ("От", "Отправлено", "Кому", "Тема"), "Исходное сообщение", "Отправлено с iPhone", "Скачать Outlook для iOS"),
    "tr": Language("Evet, birini arıyoruz. Perşembe uygun mu?\n\nSelamlar\nBo", f"{WHO}, 2 Mar 2026 Pzt, 09:30 tarihinde şunu yazdı:", ("Kimden", "Gönderildi", "Kime", "Konu"), "Orijinal Mesaj", "iPhone'umdan gönderildi", "iOS için Outlook'u edinin"),
    "ja": Language("はい、採用しています。木曜日はいかがですか。\n\nボー", f"2026年3月2日(月) 9:30 {WHO}:", ("差出人", "送信日時", "宛先", "件名"), "元のメッセージ", "iPhoneから送信", "Outlook for iOS を入手"),
    "zh": Language("是的，我们在招人。周四可以吗？\n\n博", f"{WHO} 于2026年3月2日周一 09:30写道：", ("发件人", "发送时间", "收件人", "主题"), "原始邮件", "发自我的iPhone", "获取适用于 iOS 的 Outlook"),
    "uk": Language("Так, ми шукаємо людину. Вам зручно в четвер?\n\nЗ повагою,\nБо", f"пн, 2 бер. 2026 р. о 09:30 {WHO} пише:", ("Від", "Надіслано", "Кому", "Тема"), "Вихідне повідомлення", "Надіслано з iPhone", "Отримати Outlook для iOS"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: its bytes, the text that is new in it, and whether it is HTML."""

    name: str
    raw: bytes
    new: str
    html: bool = False


def _quoted(text: str, width: int = 0) -> str:
    lines = [part for line in text.splitlines() for part in (textwrap.wrap(line, width) if width and line else [line])]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _block(language: Language) -> str:
    one, two, three, four = language.labels
    return f"{one}: {WHO}\n{two}: Monday, 2 March 2026 09:30\n{three}: Bo Brightly <{RCPT}>\n{four}: Engineering work"


def plain_bodies(language: Language) -> Iterator[tuple[str, str]]:
    """Client → the body it makes of an answer to our mail."""
    new, by, block = language.answer, language.attribution, _block(language)
    yield "gmail", f"{new}\n\n{by}\n\n{_quoted(OUR_TEXT)}\n"
    yield "gmail-wrapped", f"{new}\n\n{textwrap.fill(by, 60)}\n\n{_quoted(OUR_TEXT, 60)}\n"
    yield "ios", f"{new}\n\n{language.phone}\n\n{_quoted(by)}\n{_quoted(chr(10) + OUR_TEXT)}\n"
    yield "outlook", f"{new}\n\n{block}\n\n{OUR_TEXT}"
    yield "outlook-original", f"{new}\n\n-----{language.original}-----\n{block}\n\n{OUR_TEXT}"
    yield "outlook-web", f"{new}\n________________________________\n{block}\n\n{OUR_TEXT}"
    yield (
        "outlook-phone",
        f"{new}\n\n{language.outlook}<https://aka.example>\n________________________________\n{block}\n\n{OUR_TEXT}",
    )
    yield "thunderbird", f"{new}\n\n{by}\n{_quoted(OUR_TEXT)}\n"
    yield "yahoo", f"{new}\n\n    {by}\n \n {textwrap.fill(' '.join(OUR_TEXT.split()), 70)}\n"
    yield "proton", f"{new}\n\n------- {language.original} -------\n{by}\n\n{_quoted(OUR_TEXT)}\n"
    yield "zoho", f"{new}\n\n---- {by} ----\n\n{OUR_TEXT}\n"
    yield "bottom", f"{by}\n{_quoted(OUR_TEXT)}\n\n{new}\n"
    yield "bare", f"{new}\n\n{OUR_TEXT}"


def html_bodies(language: Language) -> Iterator[tuple[str, str]]:
    new, by = (markup.escape(text).replace("\n", "<br>") for text in (language.answer, language.attribution))
    quote = "".join(f"<p>{markup.escape(part)}</p>".replace("\n", "<br>") for part in OUR_TEXT.split("\n\n"))
    labels = "<br>".join(
        f"<b>{markup.escape(line.partition(':')[0])}:</b>{markup.escape(line.partition(':')[2])}"
        for line in _block(language).splitlines()
    )
    yield (
        "html-gmail",
        f'<div dir="ltr">{new}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{by}<br></div><blockquote class="gmail_quote" style="margin:0">{quote}</blockquote></div>',
    )
    yield (
        "html-apple",
        f'<html><body>{new}<br><div><br><blockquote type="cite"><div>{by}</div><br><div>{quote}</div></blockquote></div></body></html>',
    )
    yield (
        "html-outlook",
        f'<html><body><div class="WordSection1"><p class="MsoNormal">{new}</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{labels}</p></div></div>{quote}</div></body></html>',
    )
    yield (
        "html-outlook-web",
        f'<html><body><div>{new}</div><hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri">{labels}</font></div><div>{quote}</div></body></html>',
    )
    yield (
        "html-yahoo",
        f'<div>{new}</div><div id="ydp1yahoo_quoted_1" class="yahoo_quoted"><div>{by}</div><div>{quote}</div></div>',
    )
    yield (
        "html-thunderbird",
        f'<div>{new}</div><div class="moz-cite-prefix">{by}<br></div><blockquote type="cite" cite="mid:x">{quote}</blockquote>',
    )


def all_answers() -> list[Answer]:
    return [answer for name, language in LANGUAGES.items() for answer in _of(name, language)]


def _of(name: str, language: Language) -> Iterator[Answer]:
    for client, body in plain_bodies(language):
        yield Answer(f"{name}-{client}", as_mail(body, "text/plain; charset=utf-8"), language.answer)
    for client, body in html_bodies(language):
        yield Answer(f"{name}-{client}", as_mail(body, "text/html; charset=utf-8"), language.answer, html=True)


def as_mail(body: str, content_type: str) -> bytes:
    return message(
        body,
        From_=f"Bo Brightly <{RCPT}>",
        Subject="Re: Engineering work",
        In_Reply_To=OUR_ID,
        Message_ID="<r@bo.example>",
        MIME_Version="1.0",
        Content_Type=content_type,
    )
