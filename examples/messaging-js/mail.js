// E-mail, through SendGrid's v3 mail API: the endpoint `mail`, in real life `https://api.sendgrid.com`, with a bearer token.

import { failed, refusal, unavailable } from "./dispositions.js";
import { below } from "./session.js";
import { EXPECTED, data, idOf, subject, text } from "./template.js";

const ACCEPTED = 202;

/** The channel's settings; nothing where it is not in use. */
export function mailOf(session) {
  const from = session.setting("mail-from");
  if (from === undefined) return undefined;
  return { from, fromName: session.setting("mail-from-name"), templates: session.table("mail-templates", EXPECTED) };
}

/** One cheap question that needs a working credential. */
export function checkMail(session) {
  succeeded(session.get("mail", below("v3", "scopes"))).read();
}

/** Sends a message to an address. An accepted message without an id goes by the delivery's key, which it carries. */
export function sendMail(session, mail, message, key) {
  const content = JSON.stringify(body(mail, message, key));
  const answer = succeeded(session.post("mail", below("v3", "mail", "send"), "application/json", content));
  if (answer.status !== ACCEPTED) throw answer.nonsense("SendGrid says 202 of what it has accepted");
  return { externalId: answer.header("x-message-id") || key, note: "email" };
}

/** The request. SendGrid makes nothing of the key in `custom_args`; a person can find the message by it. */
export function body(mail, message, key) {
  const to = { to: [{ email: message.to.email, name: message.to.name }], custom_args: { delivery_key: key } };
  const shared = { from: { email: mail.from, name: mail.fromName }, categories: [message.template] };
  const id = idOf(mail.templates, message);
  if (id !== undefined) {
    return { ...shared, template_id: id, personalizations: [{ ...to, dynamic_template_data: data(message) }] };
  }
  const content = [{ type: "text/plain", value: text(message) }];
  return { ...shared, subject: subject(message), content, personalizations: [to] };
}

/** The answer where it is a success. A mistake in what the settings say is no client's fault. */
function succeeded(answer) {
  if (answer.isSuccess) return answer;
  const field = firstField(answer.object().errors);
  if (answer.status === 400 && (field.startsWith("from") || field.startsWith("template_id"))) {
    const settings = "check the settings `mail-from` and `mail-templates`";
    throw failed(unavailable(`${answer.what} answered 400 ${refusal(field).code ?? "to one of them"}; ${settings}`));
  }
  throw answer.failure(refusal(field, pointer(field)));
}

/** The field that SendGrid finds fault with. Its message is free text, which may quote the address. */
function firstField(errors) {
  const fields = Array.isArray(errors) ? errors.map((mistake) => mistake?.field) : [];
  return fields.find((field) => typeof field === "string") ?? "";
}

function pointer(field) {
  if (!field.includes(".to.")) return undefined;
  return ["email", "name"].filter((name) => field.endsWith(name)).map((name) => `/to/${name}`)[0];
}
