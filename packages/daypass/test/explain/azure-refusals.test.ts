import { azureSigner } from "daypass/azure";
import { describe, it } from "vitest";
import { answer, errorXml, expectCause, named, type Refusal } from "./raw-requests.ts";
import {
  AZURITE,
  accountKey,
  azureBody,
  azureKeys,
  azureOf,
  azurite,
  BLOB,
  CONTAINER,
  clock,
  containerText,
  DEVSTORE,
  NOT_AUTHORIZED,
  now,
  put,
  restError,
  sasUrl,
  sasWithPlus,
  shownByBrowser,
  USED,
} from "./refusal-fixtures.ts";

const READ = { container: "media", blob: "a.txt", permissions: "r", expiresIn: 3600 };
const signerOf = (more: object) =>
  azureSigner({ account: "acme", version: "2018-11-09", clock, credentials: { accountKey }, ...more });
const old = signerOf({}).sign(READ).url;
/** At the emulator, and signed with another key than its own. */
const emulated = signerOf({ account: "devstoreaccount1", endpoint: DEVSTORE, version: "2021-04-10" }).sign(READ).url;
const TO_SIGN = "r\n\n2026-11-24T13:00:00Z\n/blob/acme/media/a.txt\n\n\n\n2018-11-09\nb\n\n\n\n\n\n";

const REFUSALS: readonly Refusal[] = [
  [
    /^VERSION: .*fields of/,
    sasUrl(BLOB, CONTAINER, { text: containerText({ ses: false }) }),
    { keys: azureKeys, errorBody: shownByBrowser(azureBody("AuthenticationFailed", USED + containerText())) },
  ],
  [
    /^WRONG_SECRET: .*exactly what the URL says/,
    sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    { errorBody: azureBody("AuthenticationFailed", USED + containerText()) },
  ],
  [
    /^WRONG_SECRET: .*exactly what the URL says/,
    sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    {
      errorBody: JSON.stringify({
        name: "RestError",
        code: "AuthenticationFailed",
        statusCode: 403,
        details: {
          errorCode: "AuthenticationFailed",
          message:
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
          authenticationErrorDetail: USED + containerText(),
        },
      }),
    },
  ],
  [
    /^WRONG_SECRET: .*exactly what the URL says/,
    sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    { errorBody: shownByBrowser(azureBody("AuthenticationFailed", USED + containerText())) },
    /differs/,
  ],
  [
    /^PATH: .*(?:restype=container|for a blob)/,
    sasUrl("https://acme.blob.core.windows.net/6aabe3bb-05d5", CONTAINER, {
      text: containerText({ resource: "/blob/acme/6aabe3bb-05d5" }),
    }),
    {
      errorBody: shownByBrowser(
        azureBody("AuthenticationFailed", USED + containerText({ resource: "/blob/acme/$root" })),
      ),
    },
    /proxy/,
  ],
  [
    /^SIGNATURE: .*\+/,
    sasWithPlus((signature) => signature),
    { errorBody: azureBody("AuthenticationFailed", "Signature fields not well formed.") },
  ],
  [/^SIGNATURE: .*\+/, sasWithPlus((signature) => signature.replace(/=+$/, ""))],
  [
    /^MALFORMED: .*(?:more than once|twice|second \?)/,
    `${sasUrl(BLOB, CONTAINER, { text: containerText() })}?${sasUrl(BLOB, CONTAINER, { text: containerText() }).split("?")[1]}`,
    { errorBody: azureBody("AuthenticationFailed", "Signature fields not well formed.") },
  ],
  [
    /^WRONG_SECRET: .*another key signed/,
    azurite.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 3600 }).url,
    { errorBody: AZURITE },
    /rules other than the signature/,
  ],
  [
    /^VERSION: .*(?:x-ms-version|version)/,
    azurite.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 3600 }).url,
    answer("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.", {
      HeaderName: "x-ms-version",
      HeaderValue: "2024-05-04",
    }),
  ],
  [
    /^PERMISSION: .*permissions \(sp\) do not permit/,
    azureOf({ blob: "a.txt", permissions: "r" }),
    {
      errorBody: restError("AuthorizationPermissionMismatch", `${NOT_AUTHORIZED} using this permission.`),
      request: put,
    },
  ],
  [
    /^PERMISSION: .*firewall/,
    azureOf({ blob: "a.txt", permissions: "r" }),
    { errorBody: restError("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { method: "GET" } },
  ],
  [
    /^METHOD: .*not an Azure operation .*comp=acl/,
    `${azureOf({ resource: "container", permissions: "racwdl" })}&restype=container&comp=acl`,
    { errorBody: errorXml("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { method: "GET" } },
    /firewall/,
  ],
  [/^SERVER: /, emulated, answer("ConditionNotMet", "The condition is not met.")],
  [/^WRONG_SECRET: /, emulated, { keys: azureKeys, errorBody: AZURITE }],
  [/^undefined: /, emulated],
  [
    /2027-01-01/,
    azureOf({ blob: "a.txt", permissions: "r" }),
    answer("InvalidHeaderValue", "m", { HeaderName: "x-ms-version", HeaderValue: "2027-01-01" }),
    /sv=/,
  ],
  [
    /^PERMISSION: /,
    azureOf({ blob: "a.txt", permissions: "cw" }),
    { ...answer("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { ...put, headers: {} } },
  ],
  ...[TO_SIGN, TO_SIGN.replaceAll("\n", " "), TO_SIGN.replace(/\n+/g, " "), TO_SIGN.replaceAll("\n", "\\n")].map(
    (text): Refusal => [
      /exactly what the URL says/,
      old,
      { errorBody: `AuthenticationFailed AuthenticationErrorDetail:${USED}${text}` },
    ],
  ),
];

describe("explain with a refusal of Azure", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, () => now);
  });
});
