"use strict";
// Data is only ever put in as text: nothing in it becomes markup, an attribute that acts, or a script.
const data = JSON.parse(document.getElementById("data").textContent);
const mails = data.mails;
const at = (id) => document.getElementById(id);
const FILTERS = [
  ["all", "All", () => true],
  ["ready", "Ready", (mail) => !mail.held.length && !mail.waits.length],
  ["notes", "Remarks", (mail) => mail.findings.length || mail.waits.length || mail.changed],
  ["held", "Held", (mail) => mail.held.length],
];
const POLICY = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
  + "style-src 'unsafe-inline'\">";
let filter = 0, query = "", shown = mails.slice(), here = 0, view = "text";

function make(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (name === "class") node.className = value;
    else if (name === "on") node.addEventListener("click", value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function mark(mail) {
  if (mail.held.length) return "held";
  if (mail.findings.length || mail.waits.length || mail.changed) return "warn";
  return mail.approval ? "ok" : "";
}

function matches(mail) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = mail.haystack || (mail.haystack = [mail.name, mail.company, mail.address, mail.subject, mail.text,
    mail.variant, ...mail.held, ...mail.waits].join(" ").toLowerCase());
  return FILTERS[filter][2](mail) && words.every((word) => text.includes(word));
}

function drawFilters() {
  at("filters").replaceChildren(...FILTERS.map(([, label, test], index) => make("button",
    { type: "button", "aria-pressed": String(index === filter), on: () => choose(index) },
    `${label} ${mails.filter(test).length}`)));
}

function drawPeople() {
  const rows = shown.map((mail, index) => make("li", {}, make("button",
    { type: "button", tabindex: "-1", "aria-current": String(index === here), on: () => go(index) },
    make("b", {}, mail.name || "(no name)"), make("i", { class: mark(mail) }),
    make("small", {}, [mail.company, mail.step ? `mail ${mail.step}` : "", mail.variant].filter(Boolean).join(" · ")))));
  at("people").replaceChildren(...(rows.length ? rows : [make("li", { class: "none" }, "Nobody here.")]));
}

function field(label, value) {
  return value ? [make("dt", {}, label), make("dd", {}, value)] : [];
}

function notes(mail) {
  const list = [];
  for (const reason of mail.held) list.push(make("li", { class: "held" }, make("b", {}, "Held back"), reason));
  for (const reason of mail.waits) list.push(make("li", {}, make("b", {}, "Not now"), reason));
  if (mail.changed) list.push(make("li", {}, make("b", {}, "Approval void"), mail.changed));
  for (const finding of mail.findings) {
    const place = finding.place ? [make("code", {}, finding.place)] : [];
    list.push(make("li", {}, make("b", {}, finding.rule), finding.message, ...place));
  }
  return list.length ? [make("ul", { class: "notes" }, ...list)] : [];
}

function views(mail) {
  return mail.held.length ? [] : mail.html ? ["text", "html", "source"] : ["text", "source"];
}

function textBody(mail) {
  const cut = mail.footer && mail.text.endsWith(mail.footer) ? mail.text.length - mail.footer.length : mail.text.length;
  const body = make("div", { class: "body", dir: "auto" }, mail.text.slice(0, cut));
  if (cut < mail.text.length) body.append(make("span", { class: "footer", dir: "auto" }, mail.footer));
  return body;
}

function htmlBody(mail) {
  // No permission at all: no script, no form, no navigation of the page. It may fetch nothing: by the policy of this
  // page, which it inherits, and by its own.
  const frame = make("iframe", { sandbox: "", title: "The HTML part", referrerpolicy: "no-referrer" });
  frame.srcdoc = POLICY + mail.html;
  return frame;
}

function content(mail) {
  if (view === "source") return make("pre", { class: "source" }, mail.source);
  return view === "html" && mail.html ? htmlBody(mail) : textBody(mail);
}

function card(mail) {
  const chips = [];
  if (mail.variant) chips.push(make("span", { class: "chip" }, `variant ${mail.variant}`));
  if (mail.state !== "preview") chips.push(make("span", { class: "chip" }, mail.state));
  if (mail.approval) chips.push(make("span", { class: "chip good" }, mail.approval));
  const head = make("div", { class: "head" },
    make("h2", { dir: "auto" }, mail.subject || "(no subject)"),
    make("dl", { class: "fields" }, ...field("From", mail.from), ...field("To", mail.to),
      ...field("Step", `${mail.step} of ${data.steps}`), ...field("Date", mail.date)),
    ...(chips.length ? [make("div", { class: "chips" }, ...chips)] : []));
  const files = mail.files.map((file) => make("span", { class: "file" }, file.name, make("small", {}, file.size)));
  return make("div", { class: "card" }, head, content(mail),
    ...(files.length ? [make("div", { class: "files" }, ...files)] : []));
}

function heldCard(mail) {
  return make("div", { class: "card" }, make("div", { class: "head" },
    make("h2", { dir: "auto" }, mail.name || "(no name)"),
    make("dl", { class: "fields" }, ...field("Company", mail.company), ...field("Mail", mail.step ? String(mail.step) : ""))),
    make("div", { class: "body" }, "No mail is written for them as things stand."));
}

function drawMail() {
  const mail = shown[here];
  at("position").textContent = mail ? `${here + 1} of ${shown.length}` : "0 of 0";
  at("progress").style.width = shown.length ? `${100 * (here + 1) / shown.length}%` : "0";
  if (!mail) {
    at("tabs").replaceChildren();
    at("mail").replaceChildren(make("p", { class: "empty" }, "Nothing matches. Esc clears the search."));
    return;
  }
  const labels = { text: "Text", html: "HTML", source: "Source" };
  const possible = views(mail);
  const current = possible.includes(view) ? view : "text";
  at("tabs").replaceChildren(...possible.map((name) => make("button",
    { type: "button", role: "tab", "aria-selected": String(name === current), on: () => { view = name; drawMail(); } },
    labels[name])));
  at("mail").replaceChildren(...notes(mail), mail.held.length ? heldCard(mail) : card(mail));
}

function go(index) {
  here = Math.max(0, Math.min(index, shown.length - 1));
  for (const [number, row] of [...at("people").children].entries()) {
    const button = row.firstElementChild;
    if (button) button.setAttribute("aria-current", String(number === here));
    if (number === here && button) button.scrollIntoView({ block: "nearest" });
  }
  at("main").scrollTop = 0;
  drawMail();
}

function choose(index) {
  const mail = shown[here];
  filter = (index + FILTERS.length) % FILTERS.length;
  shown = mails.filter(matches);
  here = Math.max(0, shown.indexOf(mail));
  drawFilters();
  drawPeople();
  drawMail();
}

function cycleView() {
  const possible = shown[here] ? views(shown[here]) : [];
  if (possible.length) view = possible[(possible.indexOf(view) + 1) % possible.length];
  drawMail();
}

const KEYS = {
  j: () => go(here + 1), ArrowDown: () => go(here + 1), ArrowRight: () => go(here + 1),
  k: () => go(here - 1), ArrowUp: () => go(here - 1), ArrowLeft: () => go(here - 1),
  Home: () => go(0), End: () => go(shown.length - 1),
  f: () => choose(filter + 1), F: () => choose(filter - 1), t: cycleView,
  "/": () => at("search").focus(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target === at("search");
  if (event.key === "Escape") {
    if (query) { at("search").value = query = ""; choose(filter); }
    at("search").blur();
  } else if (typing && (event.key === "Enter" || event.key === "ArrowDown")) {
    at("search").blur();
    event.preventDefault();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && Object.hasOwn(KEYS, event.key)) {
    KEYS[event.key]();
    event.preventDefault();
  }
});
at("search").addEventListener("input", (event) => { query = event.target.value; choose(filter); });

at("campaign").textContent = data.campaign;
document.title = `${data.campaign}: ${data.ready} mails`;
at("summary").textContent = `${data.ready} to look at, ${data.held} held back · ${data.sequence} · ${data.made}`;
if (data.command) at("approve").append("All as it should be? Approve exactly these:", make("code", {}, data.command));
else at("approve").remove();
drawFilters();
drawPeople();
drawMail();
