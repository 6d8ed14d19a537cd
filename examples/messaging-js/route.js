// Which channel a message takes: the preferred one where the recipient has it and it is in use, else the other.

import { failed, rejected, unavailable } from "./dispositions.js";
import { checkMail, mailOf, sendMail } from "./mail.js";
import { checkSms, sendSms, smsOf } from "./sms.js";

export const SETTINGS = [
  "mail-from",
  "mail-from-name",
  "mail-templates",
  "sms-account-sid",
  "sms-from",
  "sms-templates",
];

/** Asks each channel that is in use one cheap question. */
export function checkHealth(session) {
  const [mail, sms] = [mailOf(session), smsOf(session)];
  if (mail === undefined && sms === undefined) throw nothingInUse();
  if (mail !== undefined) checkMail(session);
  if (sms !== undefined) checkSms(session, sms);
  return { ok: true, detail: undefined };
}

/** Sends the message over the first channel that will do. */
export function send(session, message, key) {
  if (message.to.email === undefined && message.to.phone === undefined) {
    throw failed(rejected("the recipient has neither an e-mail address nor a phone number", "/to"));
  }
  for (const channel of message.prefer === "sms" ? ["sms", "email"] : ["email", "sms"]) {
    const receipt = channel === "sms" ? bySms(session, message) : byMail(session, message, key);
    if (receipt !== undefined) return receipt;
  }
  throw nothingInUse();
}

function byMail(session, message, key) {
  const mail = message.to.email === undefined ? undefined : mailOf(session);
  return mail && sendMail(session, mail, message, key);
}

function bySms(session, message) {
  const sms = message.to.phone === undefined ? undefined : smsOf(session);
  return sms && sendSms(session, sms, message);
}

function nothingInUse() {
  const how = "set `mail-from` for e-mail, `sms-account-sid` and `sms-from` for texts";
  return failed(unavailable(`no channel to the recipient is in use; ${how}`));
}
