import { describe, it } from "vitest";
import { answer, errorXml, expectCause, named, type Refusal } from "./broken-requests.ts";
import {
  AZURITE,
  azureBody,
  azureKeys,
  azureOf,
  azurite,
  BLOB,
  CONTAINER,
  containerText,
  NOT_AUTHORIZED,
  now,
  put,
  restError,
  sasUrl,
  sasWithPlus,
  shownByBrowser,
  USED,
} from "./refusal-fixtures.ts";

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
    `${azureOf({ permissions: "racwdl" })}&restype=container&comp=acl`,
    { errorBody: errorXml("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { method: "GET" } },
    /firewall/,
  ],
];

describe("explain with a refusal of Azure", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, () => now);
  });
});
