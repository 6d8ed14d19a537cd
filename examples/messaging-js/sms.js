// Text messages, through Twilio's messages API: the endpoint `sms`, in real life `https://api.twilio.com`, with Basic
// authentication.

import { failed, refusal, unavailable } from "./dispositions.js";
import { below, form } from "./session.js";
import { EXPECTED, data, idOf, text } from "./template.js";

const VERSION = "2010-04-01";

/** Messaging services have ids of this form; they are named by a field of their own. */
const SERVICE = "MG";

/** Codes that say that the sender or the content is wrong, which are settings, not the recipient. */
const OF_SETTINGS = [21212, 21603, 21606, 21656, 21659, 21660, 21703, 21705];

/** Codes that say that this recipient can't be reached: not a number, not a mobile, not allowed, opted out. */
const OF_RECIPIENT = [21211, 21214, 21217, 21408, 21610, 21612, 21614];

/** The channel's settings; nothing where it is not in use. */
export function smsOf(session) {
  const [account, from] = [session.setting("sms-account-sid"), session.setting("sms-from")];
  if (account === undefined || from === undefined) return undefined;
  return { account, from, templates: session.table("sms-templates", EXPECTED) };
}

/** One cheap question that needs a working credential. */
export function checkSms(session, sms) {
  succeeded(session.get("sms", below(VERSION, "Accounts", `${sms.account}.json`))).read();
}

/** Sends a message to a number. */
export function sendSms(session, sms, message) {
  const path = below(VERSION, "Accounts", sms.account, "Messages.json");
  const answer = session.post("sms", path, "application/x-www-form-urlencoded", form(fields(sms, message)));
  return { externalId: succeeded(answer).text("sid"), note: "sms" };
}

/** The fields of the request. */
export function fields(sms, message) {
  const sender = sms.from.startsWith(SERVICE) ? "MessagingServiceSid" : "From";
  const shared = [["To", message.to.phone], [sender, sms.from]];
  const id = idOf(sms.templates, message);
  if (id === undefined) return [...shared, ["Body", text(message)]];
  return [...shared, ["ContentSid", id], ["ContentVariables", JSON.stringify(texts(data(message)))]];
}

/** Twilio takes texts only. */
function texts(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** The answer where it is a success. Twilio's messages quote the number, so that only the code is handed on. */
function succeeded(answer) {
  if (answer.isSuccess) return answer;
  const { code } = answer.object();
  if (!Number.isSafeInteger(code)) throw answer.failure(refusal(""));
  if (answer.status === 400 && OF_SETTINGS.includes(code)) {
    const settings = "check the settings `sms-from` and `sms-templates`";
    throw failed(unavailable(`${answer.what} answered 400 ${code}; ${settings}`));
  }
  throw answer.failure(refusal(String(code), OF_RECIPIENT.includes(code) ? "/to/phone" : undefined));
}
