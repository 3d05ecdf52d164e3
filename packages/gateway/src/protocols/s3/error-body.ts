/** Names and values inside `<Error>`, in the order in which they are written. */
export type ErrorFields = readonly (readonly [name: string, value: string])[];

/** What S3 says: its code, the status that goes with it, and its own words, which SDKs and people search for. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fields?: ErrorFields;
}

/** The XML in which S3 says no. Every value is escaped, so nothing of a request can become markup. */
export function errorBody(fields: ErrorFields): string {
  let text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error>';
  for (const [name, value] of fields) text += `<${name}>${escapeXml(value)}</${name}>`;
  return `${text}</Error>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // A parser may turn a bare carriage return into a line feed.
  "\r": "&#13;",
};

function escapeXml(text: string): string {
  // XML 1.0 has no way at all to write the other control characters or half a surrogate pair.
  return text
    .replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? "")
    .replace(/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}
