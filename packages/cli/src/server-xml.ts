import { MalformedXml, type ReadElement, readXml } from "@daypass/gateway/xml";

// A listing has at most 1,000 objects of a dozen elements each.
const MAX_ELEMENTS = 50_000;

/** Parses the XML of a storage server. `undefined` for any other body. */
export function serverXml(body: Uint8Array): ReadElement | undefined {
  try {
    // Compatible servers use other namespaces than S3, and keys may contain any character.
    return readXml(body, undefined, { anyNamespace: true, anyCharacter: true, elements: MAX_ELEMENTS });
  } catch (error) {
    if (error instanceof MalformedXml) return undefined;
    throw error;
  }
}

/** The text of the first child with this name. Empty if it has no such child. */
export function childText(element: ReadElement | undefined, name: string): string {
  return element?.children.find((child) => child.name === name)?.text ?? "";
}
