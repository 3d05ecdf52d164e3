import type { XmlElement } from "../../http/xml.ts";

/** The one owner of all that is here, in the form of Amazon's canonical user ids. */
export const OWNER_ID = "0d5b1f6f7c0e4f5b9f0a7c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f506";

export const OWNER: readonly XmlElement[] = [
  ["ID", OWNER_ID],
  ["DisplayName", "daypass"],
];

/** Elements that name the owner, e.g. `Owner` and `Initiator`. */
export function ownerElement(name: string): XmlElement {
  return [name, OWNER];
}

/** The list of access rights that everything here has: all for the owner. */
export function ownerGrants(): XmlElement {
  const grantee: XmlElement = [
    "Grantee",
    OWNER,
    { "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:type": "CanonicalUser" },
  ];
  return ["AccessControlList", [["Grant", [grantee, ["Permission", "FULL_CONTROL"]]]]];
}
