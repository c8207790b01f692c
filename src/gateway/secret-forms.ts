/** Shorter ones would be found in text that has nothing to do with the secret. */
const FORM_BYTES_MIN = 6;

/** Characters that encoders of URLs leave as they are, besides letters and digits: no two agree. */
const UNESCAPED = ["-._~", "-_.!~*'()", ";/?:@&=+$,#-_.!~*'()", "-._~/", "*-._", "-_.", "!$%&'()*+,-./:;=@[]^_|~"];
/** What JSON encoders escape though they would not have to: nothing, slashes, what means something in HTML. */
const JSON_ESCAPED = ["", "/", "<>&", "<>&'", "<>&'+`"];
const HTML_ENTITIES: readonly Record<string, string>[] = [
  { "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" },
  ...["&#39;", "&#x27;", "&#039;", "&apos;"].flatMap((apostrophe) =>
    ["&quot;", "&#34;"].map((quote) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': quote, "'": apostrophe })),
  ),
];

/**
 * Every form in which a server may give a secret back: as it is, in base64 wherever it stands in what was encoded (without
 * the characters at the ends that depend on what stands beside it), escaped for URLs, JSON or HTML, in hex, in UTF-16; and the
 * same of it as it was escaped for a body. A server that takes each byte for a character gives back two bytes for one beyond
 * ASCII.
 */
export function secretForms(secret: string): Buffer[] {
  const texts = [...new Set([secret, secret.trim(), ...bodyForms(secret), Buffer.from(secret).toString("latin1")])];
  const plain = texts.flatMap((text) => [
    ...UNESCAPED.flatMap((unescaped) => urlForms(text, unescaped)),
    ...["", "0123456789"].flatMap((digits) => allEscaped(text, digits)),
    ...jsonForms(text),
    ...HTML_ENTITIES.map((entities) => text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char)),
    Buffer.from(text).toString("hex"),
    Buffer.from(text).toString("hex").toUpperCase(),
  ]);
  const encoded = texts.flatMap((text) => [0, 1, 2].map((offset) => base64Inside(Buffer.from(text), offset)));
  const forms = new Set([...texts, ...plain, ...encoded.flatMap(base64Forms)]);
  const utf16 = texts.flatMap((text) => [Buffer.from(text, "utf16le"), Buffer.from(text, "utf16le").swap16()]);
  return [...[...forms].map((form) => Buffer.from(form)), ...utf16].filter(({ length }) => length >= FORM_BYTES_MIN);
}

/** As it stands in bodies that were sent, which a server may repeat in a form of its own: JSON within JSON, say. */
const bodyForms = (secret: string): string[] => [
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret.toWellFormed()),
];

/** The forms of base64 that was sent, which is known to the last character. */
export const sentBase64Forms = (base64: string): Buffer[] => base64Forms(base64).map((form) => Buffer.from(form));

/** What base64 of something that has these bytes at `offset` (modulo 3) is sure to contain. */
function base64Inside(bytes: Buffer, offset: number): string {
  const base64 = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return base64.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

function base64Forms(base64: string): string[] {
  const url = base64.replaceAll("+", "-").replaceAll("/", "_");
  const escaped = base64.replaceAll(/[+/=]/g, (char) => `%${hex(char.charCodeAt(0), 2)}`);
  return [
    base64,
    url,
    url.replaceAll("=", ""),
    escaped,
    escaped.toUpperCase() === escaped ? escaped : escaped.replaceAll(/%../g, (code) => code.toUpperCase()),
    base64.replaceAll("/", "\\/"),
    base64.replaceAll("+", "\\u002B"),
  ];
}

function urlForms(text: string, unescaped: string): string[] {
  const upper = [...Buffer.from(text)].map((byte) => urlEscaped(byte, unescaped)).join("");
  return [upper, lowerCodes(upper), upper.replaceAll("%20", "+"), lowerCodes(upper).replaceAll("%20", "+")];
}

function urlEscaped(byte: number, unescaped: string): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(char) || unescaped.includes(char) ? char : `%${hex(byte, 2).toUpperCase()}`;
}

/** Each byte as an escape, as some do who mean to be thorough. */
function allEscaped(text: string, except: string): string[] {
  const upper = [...Buffer.from(text)]
    .map((byte) =>
      except.includes(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${hex(byte, 2).toUpperCase()}`,
    )
    .join("");
  return [upper, lowerCodes(upper)];
}

const lowerCodes = (text: string) => text.replaceAll(/%../g, (code) => code.toLowerCase());

function jsonForms(text: string): string[] {
  const quoted = JSON.stringify(text).slice(1, -1);
  return JSON_ESCAPED.flatMap((escaped) => {
    const special = quoted.replaceAll(/[/<>&'+`]/g, (char) => (escaped.includes(char) ? jsonEscape(char) : char));
    const forms = [special, special.replaceAll(/[\u0080-\uffff]/g, unicodeEscape)];
    return [
      ...forms,
      ...forms.map((form) => form.replaceAll(/\\u..../g, (code) => `\\u${code.slice(2).toUpperCase()}`)),
    ];
  });
}

const jsonEscape = (char: string) => (char === "/" ? "\\/" : unicodeEscape(char));
const unicodeEscape = (char: string) => `\\u${hex(char.charCodeAt(0), 4)}`;
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
