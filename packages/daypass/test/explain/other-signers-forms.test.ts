import { type ExplainFormOptions, explainForm } from "daypass/explain";
import { expect, it } from "vitest";
import recorded from "./other-signers.json" with { type: "json" };
import { access } from "./other-signers.ts";
import { errorXml } from "./raw-requests.ts";

const denied = errorXml("AccessDenied", "Access Denied");
const radosgw = (message: string) => errorXml("AccessDenied", message);
const wrong = { ...access, secretAccessKey: "another-secret" };
const clock = () => new Date("2026-11-24T12:05:00Z");

type Fields = Readonly<Record<string, string>>;
type Row = readonly [
  form: "boto3 form" | "sdk form",
  fault: string,
  codes: string,
  fields: Fields,
  errorBody: string,
  more?: Partial<ExplainFormOptions>,
];

/** The codes by the form alone, with the server's answer, with the key. */
const rows: readonly Row[] = [
  ["boto3 form", "another field, refused in two words", "FIELD FIELD FIELD", { acl: "public-read" }, denied],
  ["sdk form", "another key, refused in two words", "FIELD FIELD FIELD", { key: "up/b.png" }, denied],
  ["sdk form", "a field too many, refused in two words", "FIELD FIELD FIELD", { "x-amz-meta-a": "1" }, denied],
  ["boto3 form", "refused in two words", "- PERMISSION PERMISSION", {}, denied],
  ["boto3 form", "refused in two words, another key", "- PERMISSION WRONG_SECRET", {}, denied, { keys: [wrong] }],
  [
    "sdk form",
    "expired, refused in two words",
    "EXPIRED EXPIRED EXPIRED",
    {},
    denied,
    { clock: () => new Date("2026-11-24T13:00:00Z") },
  ],
  [
    "boto3 form",
    "radosgw's failed condition",
    "FIELD FIELD FIELD",
    { acl: "public-read" },
    radosgw("Policy condition failed: eq: $acl, private"),
  ],
  [
    "sdk form",
    "radosgw's failed condition of a start",
    "FIELD FIELD FIELD",
    { "Content-Type": "text/html" },
    radosgw("Policy condition failed: starts-with: $Content-Type, image/"),
  ],
  [
    "boto3 form",
    "radosgw's failed check",
    "FIELD FIELD FIELD",
    { acl: "public-read" },
    radosgw("Policy check failed, variable not met condition: acl"),
  ],
  [
    "boto3 form",
    "radosgw's missing field",
    "FIELD FIELD FIELD",
    { acl: "" },
    radosgw("Policy check failed, variable not found: acl"),
  ],
  [
    "sdk form",
    "radosgw's field too many",
    "FIELD FIELD FIELD",
    { "x-amz-meta-a": "1" },
    radosgw("Policy missing condition: x-amz-meta-a"),
  ],
];

it.each(rows.map((row) => [row[0], row[1], row] as const))("explainForm of %s: %s", async (name, _, row) => {
  const [, , codes, fields, errorBody, { keys = [access], clock: at = clock } = {}] = row;
  const { url, fields: own } = recorded.signed[name];
  const all = Object.entries({ ...own, ...fields }).filter(([, value]) => value !== "");
  const sent = { fields: Object.fromEntries(all), fileName: "a.png", fileSize: 10 };
  const options = { clock: at, sent };
  const told = [options, { ...options, errorBody }, { ...options, errorBody, keys }].map((given) =>
    explainForm({ url, fields: own as Fields }, given),
  );
  expect((await Promise.all(told)).map(({ cause }) => cause?.code ?? "-").join(" ")).toBe(codes);
});
