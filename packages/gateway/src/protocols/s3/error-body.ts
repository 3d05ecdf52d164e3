import { escapeXml, OUTSIDE_XML, XML_DECLARATION } from "../../http/xml.ts";

/** Names and values inside `<Error>`, in the order in which they are written. */
export type ErrorFields = readonly (readonly [name: string, value: string])[];

/** What S3 says: its code, the status that goes with it, and its own words, which SDKs and people search for. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fields?: ErrorFields;
}

/** The XML in which S3 says no. It has no namespace, and has to be read also where it repeats what XML cannot hold. */
export function errorBody(fields: ErrorFields): string {
  let text = `${XML_DECLARATION}<Error>`;
  for (const [name, value] of fields) text += `<${name}>${escapeXml(value.replace(OUTSIDE_XML, "\ufffd"))}</${name}>`;
  return `${text}</Error>`;
}
