// What a message says: ids of templates kept outside, or the adapter's own short text. Pure.
//
// Texts are made of typed variables only; free text that a client wrote never gets here.

/** The subjects of the adapter's own texts, by template; a text message says little more. */
const SUBJECTS = {
  welcome: "Welcome: your account is ready",
  "profile-updated": "Your details were changed",
  deactivated: "Your account was closed",
  "device-locked": "A device of yours was locked",
  "device-unlocked": "A device of yours was unlocked",
  "device-activated": "A device of yours was activated",
  "device-deactivated": "A device of yours was deactivated",
  "device-transferred": "A device was moved to or from your account",
  "pin-reset": "A new PIN is on its way to you",
};

/** What the text says of a variable, by the variable's type. */
const ABOUT = { reference: "Reference", "device-type": "Device", moment: "Time" };

/** What the settings are told where a table of ids is malformed. */
export const EXPECTED = 'a table of template ids, for example { welcome = "d-…" }';

/** The id for a message: of its language, of its language without region, or of any language. */
export function idOf(ids, { template, language }) {
  const lower = language.toLowerCase();
  const names = [`${template}.${lower}`, `${template}.${lower.split("-")[0]}`, template];
  return ids.get(names.find((name) => ids.has(name)));
}

export function subject({ template }) {
  return SUBJECTS[template];
}

/** The adapter's own text, with the variables that tell the reader what it is about. */
export function text(message) {
  const about = message.variables.filter(({ value }) => value.tag in ABOUT);
  const lines = about.map(({ value }) => `${ABOUT[value.tag]}: ${value.val}`);
  return [`${subject(message)}.`, ...lines, "If you did not expect this, please contact us."].join("\n");
}

/** The data that a template outside is filled with. */
export function data(message) {
  const { template, language, to } = message;
  const variables = message.variables.map(({ name, value }) => [name, plain(value.val)]);
  return Object.fromEntries([...Object.entries({ name: to.name, language, template }), ...variables]);
}

/** A whole number is one in JSON as far as JavaScript's are exact; beyond, its digits are. */
function plain(value) {
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
